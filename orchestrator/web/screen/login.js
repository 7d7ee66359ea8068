// The login: an API token, for which the service gives this browser a cookie that no program can read.

import { html, useEffect, useRef, useState } from "./view.js";

export function Login({ service, entered }) {
  const [error, setError] = useState();
  const token = useRef();
  useEffect(() => {
    document.title = "Log in · Rollcall";
    token.current.focus();
  }, []);

  const submit = async (event) => {
    event.preventDefault();
    setError(undefined);
    try {
      entered(await service.enter(token.current.value.trim()));
    } catch (failure) {
      setError(failure.message);
      token.current.select();
    }
  };

  return html`<main class="alone">
    <form class="login" onSubmit=${submit}>
      <h1>Rollcall</h1>
      <p class="field">
        <label for="token">API token</label>
        <input id="token" ref=${token} type="password" autocomplete="current-password" spellcheck="false" required aria-describedby="token-hint" />
        <small id="token-hint">Of the scope <code>operate</code>, or <code>read</code> to look only. This browser keeps a login for 12 hours, and not the token.</small>
      </p>
      ${error && html`<p class="trouble" role="alert">${error}</p>`}
      <button type="submit" class="main">Log in</button>
    </form>
  </main>`;
}
