/** The page around the list and the panels, which bring their own. */
export const pageStyles = `
:root {
  --jp-ui-font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --ground: #ffffff; --ink: #1f2328; --muted: #5f6670; --line: #dfe2e6; --hover: #eef0f3; --accent: #1769c0;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root { --ground: #14161a; --ink: #e7e9ec; --muted: #a4abb5; --line: #3a3f46; --hover: #2a2e34; --accent: #7cb8f5; }
}
* { box-sizing: border-box; }
body {
  background: var(--ground); color: var(--ink); display: flex; font: 400 13px/1.45 var(--jp-ui-font-family); height: 100vh;
  margin: 0;
}
[hidden] { display: none !important; }
aside { border-inline-end: 1px solid var(--line); flex: none; max-width: 60vw; min-width: 220px; overflow: hidden; resize: horizontal; width: 320px; }
main { display: flex; flex: 1; flex-direction: column; min-width: 0; }
main > section { flex: 1; min-height: 0; overflow: auto; padding: 8px 16px; }
.none { color: var(--muted); margin: 20vh auto 0; }
.tabs { border-bottom: 1px solid var(--line); display: flex; flex: none; overflow-x: auto; padding: 4px 8px 0; }
.tab { align-items: center; border: 1px solid transparent; border-bottom: 0; border-radius: 4px 4px 0 0; display: flex; flex: none; margin-bottom: -1px; max-width: 260px; }
.tab.front { background: var(--ground); border-color: var(--line); }
.tab:not(.front):hover { background: var(--hover); }
.tab button { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; min-width: 0; overflow: hidden; padding: 5px 4px 5px 10px; text-overflow: ellipsis; white-space: nowrap; }
.tab.front > [role="tab"] { font-weight: 600; }
.tab .close { color: var(--muted); flex: none; font-size: 16px; line-height: 1; padding: 3px 8px; }
.tab .close:hover { color: var(--ink); }
button:focus-visible, section:focus-visible { border-radius: 4px; outline: 2px solid var(--accent); outline-offset: -2px; }
@media (max-width: 700px) { body { flex-direction: column; } aside { height: 45vh; max-width: none; resize: vertical; width: auto; border-bottom: 1px solid var(--line); } }
`;
