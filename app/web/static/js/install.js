// The service worker is put to work by whichever page of the console is opened first.
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {
    // Without a secure address there is none; everything but pushes works all the same.
  });
}
