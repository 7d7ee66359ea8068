// What the screen says of all sessions at once, and of what went wrong.

export const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** How many of how many are well: a tone (`good`, `busy`, `bad`), and a sentence. */
export function standing(summary) {
  const { verified = 0, unverified = 0, dispatching = 0, observed = 0 } = summary.by_state;
  const wanting = verified + unverified + dispatching + observed;
  if (!wanting) return { tone: "good", sentence: "No room waits for an agent." };
  if (unverified) {
    return {
      tone: "bad",
      sentence: wanting === 1 ? "The one room lacks its agent." : `${unverified.toLocaleString("en")} of ${counted(wanting, "room")} ${unverified === 1 ? "lacks its" : "lack their"} agent.`,
    };
  }
  if (dispatching && wanting === 1) return { tone: "busy", sentence: "The one room waits for its agent." };
  if (dispatching) {
    const waiting = `${counted(dispatching, "agent is", "agents are")} on the way`;
    return { tone: "busy", sentence: `${verified.toLocaleString("en")} of ${counted(wanting, "room")} have their agent; ${waiting}.` };
  }
  if (verified < wanting) {
    return { tone: "busy", sentence: `${counted(observed, "room")} ${observed === 1 ? "was" : "were"} there before Rollcall, and ${observed === 1 ? "is" : "are"} only watched.` };
  }
  return { tone: "good", sentence: wanting === 1 ? "The one room has its agent." : `All ${counted(wanting, "room")} have their agent.` };
}

const ADVICE = {
  403: "This login may look, and not change anything.",
  503: "Its store may be down.",
};

/** A refusal: RFC 9457's detail, what is near to what was asked, and what helps. */
export function refusal(status, problem, retryAfter) {
  const said = problem.detail ?? problem.title ?? `Rollcall answered ${status}.`;
  const near = [problem.near ?? []].flat().filter((name) => !said.includes(name));
  const parts = [said];
  if (near.length) parts.push(`Did you mean ${near.join(", ")}?`);
  if (status === 429) parts.push(retryAfter ? `Try again in ${retryAfter} s.` : "Try again in a while.");
  else if (ADVICE[status] && !problem.detail) parts.push(ADVICE[status]);
  return parts.join(" ");
}
