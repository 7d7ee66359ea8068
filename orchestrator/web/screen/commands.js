// The same from a shell, to copy.

// Inside single quotes nothing of a room's name means anything to a shell.
const quoted = (text) => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** @param {string} base where the service answers, without a slash at its end */
export function commands({ room, sid }, base) {
  const address = `${base}/sessions/${encodeURIComponent(sid)}`;
  return [
    { label: "This session as JSON", text: `curl -H "Authorization: Bearer $ROLLCALL_API_TOKEN" ${quoted(address)}` },
    { label: "What it means", text: `rollcall explain ${quoted(sid)} --url ${quoted(base)}` },
    { label: "What LiveKit has dispatched", text: `lk dispatch list ${quoted(room)}` },
    { label: "Who LiveKit says is in the room", text: `lk room participants list ${quoted(room)}` },
  ];
}
