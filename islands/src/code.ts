/**
 * The content editor: HTML or MJML with Liquid on the left, what arrives on the right.
 *
 * `<div data-editor data-preview-url="...">` holds a textarea (stays the form's field), an optional [data-errors], and an
 * `<iframe sandbox data-preview>`. After a pause the form's fields are posted to data-preview-url, which answers JSON:
 * {"html": "...", "subject": "...", "preheader": "...", "text": "...", "size": 34000, "errors": [{"line": 3, "message": "...", "warning": true}]}.
 * A warning does not keep a campaign from leaving: it is amber, not red.
 */
import { closeBrackets } from "@codemirror/autocomplete";
import { indentWithTab } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { liquid } from "@codemirror/lang-liquid";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorView, keymap } from "@codemirror/view";
import { tags as t } from "@lezer/highlight";
import { basicSetup } from "codemirror";

interface Fault { line: number | null; message: string; warning?: boolean }
interface Preview { html?: string; subject?: string; preheader?: string; text?: string; size?: number; errors?: Fault[] }
const PAUSE_MS = 450;

const look = EditorView.theme({
  "&": { backgroundColor: "var(--sf-surface)", color: "var(--sf-ink)", height: "100%" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--sf-mono)", lineHeight: "1.65", fontFeatureSettings: "'calt' 0", fontVariantLigatures: "none", letterSpacing: "0" },
  ".cm-content": { caretColor: "var(--sf-accent)", padding: "0.75rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--sf-accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--sf-surface)", color: "var(--sf-ink-3)", border: "0", paddingLeft: "0.5rem" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--sf-hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in oklab, var(--sf-accent) 22%, transparent)",
  },
  ".cm-tooltip": { backgroundColor: "var(--sf-raised)", border: "1px solid var(--sf-line)", borderRadius: "8px" },
  ".cm-panels": { backgroundColor: "var(--sf-sunken)", color: "var(--sf-ink)" },
});

const colours = HighlightStyle.define([
  { tag: [t.tagName, t.keyword], color: "var(--sf-accent)" },
  { tag: [t.attributeName, t.propertyName], color: "var(--sf-violet)" },
  { tag: [t.string, t.attributeValue], color: "var(--sf-blue)" },
  { tag: [t.variableName, t.special(t.variableName), t.brace], color: "var(--sf-amber)", fontWeight: "600" },
  { tag: [t.comment], color: "var(--sf-ink-3)", fontStyle: "italic" },
  { tag: [t.number, t.bool, t.operator], color: "var(--sf-red)" },
  { tag: [t.angleBracket, t.punctuation], color: "var(--sf-ink-3)" },
]);

export function openAll(root: HTMLElement | Document = document): void {
  const found = [...root.querySelectorAll<HTMLElement>("[data-editor]:not([data-open])")];
  if (root instanceof HTMLElement && root.matches("[data-editor]:not([data-open])")) found.push(root);
  for (const element of found) open(element);
}

function open(element: HTMLElement): void {
  const field = element.querySelector("textarea");
  if (!field) return;
  element.dataset.open = "";
  const preview = later(() => void show(element, field, view));
  const view = new EditorView({
    doc: field.value,
    extensions: [
      basicSetup,
      closeBrackets(),
      keymap.of([indentWithTab]),
      liquid({ base: html({ matchClosingTags: false }) }),
      syntaxHighlighting(colours),
      look,
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": field.getAttribute("aria-label") ?? "Source" }),
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        field.value = update.state.doc.toString();
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }),
    ],
  });
  field.hidden = true;
  field.after(view.dom);
  (field.form ?? element).addEventListener("input", preview);
  (field.form ?? element).addEventListener("change", preview);
  watchButtons(element, view);
  void show(element, field, view);
}

/** Buttons beside the editor: data-insert puts text at the cursor, data-preview-width narrows the preview. */
function watchButtons(element: HTMLElement, view: EditorView): void {
  element.addEventListener("click", (event) => {
    const insert = (event.target as Element).closest<HTMLElement>("[data-insert]");
    if (insert) {
      event.preventDefault();
      view.dispatch(view.state.replaceSelection(insert.dataset.insert ?? ""));
      view.focus();
    }
    const width = (event.target as Element).closest<HTMLElement>("[data-preview-width]");
    if (!width) return;
    event.preventDefault();
    element.querySelector<HTMLElement>("[data-preview]")!.dataset.width = width.dataset.previewWidth;
    for (const one of element.querySelectorAll("[data-preview-width]")) one.setAttribute("aria-pressed", String(one === width));
  });
}

function later(act: () => void): () => void {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(act, PAUSE_MS);
  };
}

let round = 0;

async function show(element: HTMLElement, field: HTMLTextAreaElement, view: EditorView): Promise<void> {
  const url = element.dataset.previewUrl;
  if (!url) return;
  const mine = ++round;
  const body = field.form ? new FormData(field.form) : new FormData();
  if (!field.form && field.name) body.set(field.name, field.value);
  const answer = await ask(url, body);
  if (mine !== round) return; // a newer one is under way
  const frame = element.querySelector<HTMLIFrameElement>("[data-preview]");
  if (frame && answer.html !== undefined) frame.srcdoc = answer.html;
  for (const name of ["subject", "preheader", "text", "size"] as const) {
    const place = document.querySelector(`[data-preview-${name}]`);
    if (place && answer[name] !== undefined) place.textContent = String(answer[name]);
  }
  tell(element, view, answer.errors ?? []);
}

async function ask(url: string, body: FormData): Promise<Preview> {
  try {
    const response = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    if (response.headers.get("content-type")?.includes("json")) return (await response.json()) as Preview;
    return { errors: [{ line: null, message: `The preview failed (${response.status}). What you wrote is still here.` }] };
  } catch {
    return { errors: [{ line: null, message: "The preview cannot reach Standfast just now. What you wrote is still here." }] };
  }
}

function tell(element: HTMLElement, view: EditorView, faults: Fault[]): void {
  const doc = view.state.doc;
  const marks: Diagnostic[] = faults
    .filter((fault) => fault.line !== null && fault.line >= 1 && fault.line <= doc.lines)
    .map((fault) => ({ from: doc.line(fault.line!).from, to: doc.line(fault.line!).to, severity: fault.warning ? "warning" : "error", message: fault.message }));
  view.dispatch(setDiagnostics(view.state, marks));
  element.querySelector("[data-errors]")?.replaceChildren(...faults.map((fault) => line(fault, view)));
}

/** What stands between backticks as code, as the pages show it too. */
function withCode(message: string): Node[] {
  return message.split("`").map((part, at) => {
    if (at % 2 === 0) return document.createTextNode(part);
    const code = document.createElement("code");
    code.textContent = part;
    return code;
  });
}

function line(fault: Fault, view: EditorView): HTMLElement {
  const button = document.createElement("button");
  button.type = "button";
  if (fault.warning) button.className = "is-warning";
  if (fault.line !== null) {
    const where = document.createElement("b");
    where.textContent = `Line ${fault.line}`;
    button.append(where);
  }
  button.append(...withCode(fault.message));
  button.addEventListener("click", () => {
    if (fault.line === null || fault.line > view.state.doc.lines) return;
    view.dispatch({ selection: { anchor: view.state.doc.line(fault.line).from }, scrollIntoView: true });
    view.focus();
  });
  return button;
}
