// Groups of the rail that are folded stay so: the server reads them from the cookie, so that nothing
// jumps when the next page comes. Without this script they fold for this page alone.

const NAME = "tocsin-folds";
const YEAR = 31536000;

function kept() {
  const found = document.cookie.split("; ").find((one) => one.startsWith(`${NAME}=`));
  return new Set((found ?? "").slice(NAME.length + 1).split(".").filter(Boolean));
}

document.addEventListener("click", (event) => {
  const group = event.target.closest?.(".rail-title")?.closest("[data-fold]");
  if (!group) return;
  const turned = kept();
  const key = group.dataset.fold;
  const begins = group.dataset.begins !== "folded";
  if (group.open === begins) turned.add(key); // it is about to become the other
  else turned.delete(key);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${NAME}=${[...turned].join(".")}; Path=/; SameSite=Lax; Max-Age=${YEAR}${secure}`;
});
