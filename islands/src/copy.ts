/** `data-copy="#id"` copies an element's text (or a field's value). */
export function watchCopyButtons(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    if (!button) return;
    const source = document.querySelector<HTMLElement>(button.dataset.copy!);
    const text = (source as HTMLInputElement | null)?.value ?? source?.textContent ?? "";
    void navigator.clipboard.writeText(text).then(() => {
      button.dataset.copied = "";
      const label = button.getAttribute("aria-label");
      button.setAttribute("aria-label", "Copied");
      window.setTimeout(() => {
        delete button.dataset.copied;
        if (label) button.setAttribute("aria-label", label);
      }, 1500);
    });
  });
}
