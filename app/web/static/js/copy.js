// Copies what stands in an element: `<button data-copies="id" hidden>`. Without it people mark and copy.

for (const button of document.querySelectorAll("[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = button.querySelector("span");
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      words.textContent = "Copied";
    } catch {
      words.textContent = "Mark it and copy it";
    }
    setTimeout(() => (words.textContent = before), 2000);
  });
}
