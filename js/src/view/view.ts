import { servedList } from "../served/list.ts";
import { element } from "../ui/element.ts";
import { runList } from "../ui/runlist/list.ts";
import { pageStyles } from "./styles.ts";
import { Tabs } from "./tabs.ts";

/** The runs of the trails in reach as a page of their own: the side bar's list, and its panels in tabs beside it. */
function view(): void {
  forgetToken();
  const forever = new AbortController().signal;
  const aside = element("aside", { "aria-label": "runs in reach" });
  const tabs = new Tabs();
  document.head.append(element("style", {}, pageStyles));
  document.body.append(aside, tabs.el);
  const owner = servedList({
    open: (shown) => tabs.open(shown),
    code: { label: "copy code", title: "the line that loads it, for a notebook or a script", take: copied },
    visible: () => !document.hidden,
  });
  const list = runList(aside, owner, forever);
  document.addEventListener("visibilitychange", () => document.hidden || list.look());
}

/** It made a cookie of itself, and an address that is copied must not log others in. */
function forgetToken(): void {
  const address = new URL(location.href);
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}

async function copied(_: string, code: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(code);
    return `copied: ${code}`;
  } catch {
    return code; // by plain http from another machine there is no clipboard: it can be selected
  }
}

view();
