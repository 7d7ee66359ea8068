// The dialog in front of every deed: what it will do, why one does it, and a way back.

import { newKey } from "./service.js";
import { html, useEffect, useRef, useState } from "./view.js";

const REASON = { name: "reason", label: "Reason", type: "text", hint: "Stands in the audit log and in the timeline." };

/** @param {{deed: import("./deeds.js").Deed, service: any, done: (said?: string) => void}} props */
export function Confirm({ deed, service, done }) {
  const dialog = useRef();
  const key = useRef(newKey());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState();
  useEffect(() => dialog.current.showModal(), []);

  const submit = async (event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      const said = await deed.run(service, Object.fromEntries(new FormData(event.target)), key.current);
      dialog.current?.close();
      done(said);
    } catch (failure) {
      setError(failure.message);
      setBusy(false);
    }
  };

  return html`<dialog ref=${dialog} aria-labelledby="deed" aria-describedby="deed-explains" onClose=${() => done()}>
    <form onSubmit=${submit}>
      <h2 id="deed">${deed.title}</h2>
      <p id="deed-explains">${deed.explains}</p>
      ${[...(deed.fields ?? []), ...(deed.unreasoned ? [] : [REASON])].map((field) => html`<${Field} key=${field.name} ...${field} />`)}
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <div class="buttons">
        <button type="button" onClick=${() => dialog.current.close()}>Go back</button>
        <button type="submit" class=${deed.grave ? "main grave" : "main"} aria-disabled=${busy ? "true" : undefined}>${busy ? "Working…" : deed.button}</button>
      </div>
    </form>
  </dialog>`;
}

function Field({ name, label, type, value, hint, options, required }) {
  const id = `deed-${name}`;
  const about = { id, name, required, "aria-describedby": hint && `${id}-hint` };
  if (type === "checkbox") return html`<p class="check"><input ...${about} type="checkbox" /><label for=${id}>${label}</label></p>`;
  return html`<p class="field">
    <label for=${id}>${label}</label>
    ${type === "select"
      ? html`<select ...${about}>${options.map(([given, shown]) => html`<option value=${given} selected=${given === value}>${shown}</option>`)}</select>`
      : html`<input ...${about} type=${type} defaultValue=${value} maxlength="500" autocomplete="off" spellcheck="false" />`}
    ${hint && html`<small id="${id}-hint">${hint}</small>`}
  </p>`;
}
