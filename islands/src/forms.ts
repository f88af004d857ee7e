/** A form is sent once, however often one clicks; a select may send its form; a drop zone names its file; a new account starts
    in the browser's time zone. */
export function watchForms(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (form.matches("[hx-post], [hx-get], [hx-put], [hx-delete], [method=dialog]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    window.setTimeout(() => delete form.dataset.sent, 4000); // a download leaves the page where it is
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) delete form.dataset.sent;
  });
  document.addEventListener("change", (event) => {
    const field = event.target as HTMLInputElement;
    if (field.matches("[data-submit-on-change]")) field.form?.requestSubmit();
    if (field.matches(".sf-drop input[type=file]")) nameFile(field);
  });
}

/** `<select data-time-zone>`: the browser's own zone, where nobody chose one yet. */
export function guessTimeZones(): void {
  for (const select of document.querySelectorAll<HTMLSelectElement>("select[data-time-zone]")) {
    if (select.querySelector("option[selected]")) continue;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if ([...select.options].some((option) => option.value === zone)) select.value = zone;
  }
}

export function watchDropzones(): void {
  for (const kind of ["dragover", "dragleave", "drop"] as const) {
    document.addEventListener(kind, (event) => {
      (event.target as Element).closest?.(".sf-drop")?.classList.toggle("is-over", kind === "dragover");
    });
  }
}

function nameFile(field: HTMLInputElement): void {
  const file = field.files?.[0];
  const label = field.closest(".sf-drop")?.querySelector("[data-file-name]");
  if (file && label) label.textContent = `${file.name}, ${(file.size / 1e6).toFixed(1)} MB`;
}
