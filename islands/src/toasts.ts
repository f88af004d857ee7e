/** Short messages that leave by themselves. The server sends one with the header HX-Trigger: {"toast": {"text": "...", "kind": "red"}}. */
export function watchToasts(): void {
  for (const element of document.querySelectorAll<HTMLElement>(".sf-toast")) arrange(element);
  document.addEventListener("toast", (event) => {
    const { text, kind } = (event as CustomEvent<{ text: string; kind?: string }>).detail;
    toast(text, kind);
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    for (const element of document.querySelectorAll<HTMLElement>(".sf-toast:not([data-arranged])")) arrange(element);
  });
}

export function toast(text: string, kind = "green"): void {
  const template = document.querySelector<HTMLTemplateElement>("#sf-toast");
  const shelf = document.querySelector("#toasts");
  if (!template || !shelf) return;
  const element = (template.content.cloneNode(true) as DocumentFragment).firstElementChild as HTMLElement;
  element.classList.add(`is-${kind}`);
  element.querySelector("[data-text]")!.textContent = text;
  shelf.append(element);
  arrange(element);
}

function arrange(element: HTMLElement): void {
  element.dataset.arranged = "";
  element.querySelector("button")?.addEventListener("click", () => leave(element));
  if (!element.classList.contains("is-red")) window.setTimeout(() => leave(element), 6000);
}

function leave(element: HTMLElement): void {
  element.classList.add("is-leaving");
  window.setTimeout(() => element.remove(), 200);
}
