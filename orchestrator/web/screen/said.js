// What is said in the page's one live region, each thing for a while: one does not take the place of another.

const FOR = 10_000;
const MOST = 2;

let said = [];

const show = () => (document.getElementById("said").textContent = said.map(({ text }) => text).join(" "));

export function say(text) {
  const one = { text };
  said = [...said.filter((other) => other.text !== text), one].slice(-MOST);
  show();
  setTimeout(() => {
    said = said.filter((other) => other !== one);
    show();
  }, FOR);
}
