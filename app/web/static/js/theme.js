// Light, dark, or as the system has it. The form in the menu does the same without this script.

const YEAR = 31536000;

function choose(theme) {
  const isSystem = theme === "auto";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `tocsin-theme=${isSystem ? "" : theme}; Path=/; SameSite=Lax; Max-Age=${isSystem ? 0 : YEAR}${secure}`;
  if (isSystem) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme));
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-theme-choice]");
  if (!button) return;
  event.preventDefault();
  choose(button.dataset.themeChoice);
});
