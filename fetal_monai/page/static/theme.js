// Dark as in reading rooms, light by choice; the choice is kept in this browser.

const button = document.getElementById("theme");

function set(theme) {
  document.documentElement.dataset.theme = theme;
  button.setAttribute("aria-label", theme === "dark" ? "Light theme" : "Dark theme");
}

export function keepTheme() {
  set(localStorage.getItem("theme") ?? "dark");
}

export function toggleTheme() {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme);
  set(theme);
}
