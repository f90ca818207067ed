// Starts ReDoc; a file of its own, because the page allows no inline script.
window.addEventListener("load", () => {
  const font = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
  Redoc.init(
    "/openapi.json",
    {
      expandResponses: "200,201",
      nativeScrollbars: true,
      theme: {
        colors: { primary: { main: "#0f766e" } },
        typography: { fontFamily: font, headings: { fontFamily: font } },
      },
    },
    document.getElementById("redoc"),
  );
});
