import type { Answer, CommentShown } from "../../contract.ts";
import { element, say } from "../element.ts";
import { formatAgo, formatMoment } from "../format.ts";

/** What people said about a run, oldest first, and where somebody listens a box that says something more. */
export function commentsView(
  comments: readonly CommentShown[],
  speak: ((text: string) => Promise<Answer>) | null,
): HTMLElement {
  const thread = element("ol", { class: "ct-thread", "aria-label": "comments, oldest first" });
  const show = (said: readonly CommentShown[]): void => thread.replaceChildren(...said.map(comment));
  show(comments);
  const none = comments.length > 0 ? null : element("p", { class: "ct-muted" }, "nobody has said anything yet");
  const view = element("section", { class: "ct-comments" }, thread, none);
  if (speak) {
    const told = (said: readonly CommentShown[]): void => {
      none?.remove();
      show(said);
    };
    view.append(box(speak, told));
  }
  return view;
}

function comment({ by, time, text }: CommentShown): HTMLElement {
  const when = element("span", { class: "ct-muted", title: formatMoment(time) }, formatAgo(time, Date.now() / 1000));
  const head = element("p", { class: "ct-said-by" }, element("strong", {}, by || "somebody"), " ", when);
  return element("li", {}, head, element("p", { class: "ct-said" }, text));
}

function box(speak: (text: string) => Promise<Answer>, told: (said: readonly CommentShown[]) => void): HTMLElement {
  const words = element("textarea", { class: "find", rows: 2, "aria-label": "say something about this run" });
  words.placeholder = "say something to whoever reads this run";
  const send = element("button", { type: "submit", class: "ct-button" }, "comment");
  const fault = element("p", { class: "ct-error", role: "alert" });
  const form = element("form", { class: "ct-saying" }, words, send, fault);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send.disabled = true;
    say(fault, "");
    speak(words.value)
      .then(({ comments }) => {
        words.value = "";
        told(comments ?? []);
      })
      .catch((refusal: Error) => say(fault, refusal.message))
      .finally(() => {
        send.disabled = false;
      });
  });
  words.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  return form;
}
