// Tabs that do not fit are scrolled sideways: the one that is shown is never out of sight.
for (const tab of document.querySelectorAll(".tabs .tab[aria-current]")) {
  const strip = tab.parentElement;
  const beyond = tab.offsetLeft + tab.offsetWidth - strip.offsetLeft - strip.clientWidth;
  if (beyond > 0) strip.scrollLeft = beyond + (strip.clientWidth - tab.offsetWidth) / 2;
}
