/** The sidebar as a drawer on a phone. */
export function watchDrawer(): void {
  const root = document.documentElement;
  const toggle = (open: boolean) => {
    root.classList.toggle("is-drawer-open", open);
    document.querySelector("[data-drawer]")?.setAttribute("aria-expanded", String(open));
    if (open) document.querySelector<HTMLElement>(".sf-nav a")?.focus();
  };
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    if (target.closest("[data-drawer]")) toggle(!root.classList.contains("is-drawer-open"));
    else if (target.closest(".sf-scrim, .sf-nav a")) toggle(false);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && toggle(false));
}
