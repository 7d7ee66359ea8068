// What is said and written, a line each. A line may come in pieces, or again with a better text.

export class Transcript {
  #list;
  #lines = new Map();

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#lines.clear();
    this.#list.replaceChildren();
  }

  // Reads one of LiveKit's text streams to its end. `who` is shown in front of it.
  async read(reader, who) {
    const { attributes = {}, id, topic } = reader.info;
    const line = this.#line(attributes["lk.segment_id"] ?? id, who, topic);
    let text = "";
    for await (const piece of reader) {
      text += piece;
      this.#write(line, text);
    }
    // Of speech that is still being recognized each stream is one guess; the last says that it is final.
    line.dataset.final = String(attributes["lk.transcription_final"] !== "false" || text === "");
  }

  #line(id, who, topic) {
    let line = this.#lines.get(id);
    if (!line) {
      line = document.createElement("li");
      line.dataset.topic = topic;
      line.append(Object.assign(document.createElement("b"), { textContent: who }), document.createElement("span"));
      this.#lines.set(id, line);
      this.#list.append(line);
    }
    return line;
  }

  #write(line, text) {
    const atEnd = this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 40;
    line.dataset.final = "false";
    line.lastChild.textContent = text;
    if (atEnd) this.#list.scrollTop = this.#list.scrollHeight;
  }
}
