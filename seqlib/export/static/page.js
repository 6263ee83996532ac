// Light and dark: the system's choice, until the reader makes another one.
const root = document.documentElement;
const button = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = recall();

function recall() {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // a page opened from a file may have no storage
  }
}

function show() {
  const dark = chosen ? chosen === "dark" : system.matches;
  if (chosen) root.dataset.theme = chosen;
  document.body.dataset.jpThemeLight = String(!dark);
  button.textContent = dark ? "Light" : "Dark";
  button.setAttribute("aria-label", `${button.textContent} colours`);
}

button.addEventListener("click", () => {
  chosen = (chosen ? chosen === "dark" : system.matches) ? "light" : "dark";
  try {
    localStorage.setItem("theme", chosen);
  } catch {
    // forgotten when the page closes
  }
  show();
});
system.addEventListener("change", show);
show();

// The contents mark the section that is being read.
const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [decodeURIComponent(a.hash.slice(1)), a]));
const seen = new IntersectionObserver((entries) => {
  const entering = entries.find((entry) => entry.isIntersecting);
  if (!entering) return;
  for (const link of links.values()) link.removeAttribute("aria-current");
  links.get(entering.target.id).setAttribute("aria-current", "true");
}, { rootMargin: "0px 0px -70% 0px" });
for (const id of links.keys()) seen.observe(document.getElementById(id));
