/** `data-dialog-open="id"` opens a <dialog>; `data-dialog-close` closes its own; hx-confirm asks in our dialog, not the browser's. */
export function watchDialogs(): void {
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-dialog-open]");
    if (opener) {
      event.preventDefault();
      (document.getElementById(opener.dataset.dialogOpen ?? "") as HTMLDialogElement | null)?.showModal();
    } else if (target.closest("[data-dialog-close]") || target instanceof HTMLDialogElement) {
      target.closest("dialog")?.close();
    }
  });
  document.addEventListener("htmx:confirm", (event) => {
    const { question, issueRequest } = (event as CustomEvent<{ question?: string; issueRequest: (skip: boolean) => void }>).detail;
    if (!question) return;
    event.preventDefault();
    ask(question, () => issueRequest(true));
  });
}

function ask(question: string, yes: () => void): void {
  const dialog = document.querySelector<HTMLDialogElement>("#sf-ask");
  if (!dialog) return yes();
  const [title, ...rest] = question.split("\n");
  dialog.querySelector("h2")!.textContent = title;
  dialog.querySelector("p")!.textContent = rest.join(" ");
  dialog.returnValue = "";
  dialog.addEventListener("close", () => dialog.returnValue === "yes" && yes(), { once: true });
  dialog.showModal();
}
