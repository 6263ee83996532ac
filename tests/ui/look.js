// What a person in the last row would complain about: what is cut off, what scrolls, how small each kind of type is.
(selector) => {
  const seen = (node) => node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !node.closest(".sq-speech, mjx-assistive-mml");
  const said = (node) => `${node.tagName.toLowerCase()}.${node.getAttribute("class") ?? ""}`;
  const all = [...document.querySelectorAll(selector)].flatMap((root) => [root, ...root.querySelectorAll("*")]).filter(seen);
  const faults = [];
  for (const node of all) {
    const box = node.getBoundingClientRect();
    const far = Math.max(-box.left, -box.top, box.right - innerWidth, box.bottom - innerHeight);
    if (box.width && box.height && far > 1) faults.push(`${said(node)} is ${Math.round(far)} px outside`);
    for (let frame = node.parentElement; frame && frame !== document.body && box.width && box.height; frame = frame.parentElement) {
      if (getComputedStyle(frame).overflowX === "visible") continue;
      const hole = frame.getBoundingClientRect();
      const lost = Math.max(hole.left - box.left, hole.top - box.top, box.right - hole.right, box.bottom - hole.bottom);
      if (lost > 1) faults.push(`${said(node)} is ${Math.round(lost)} px outside ${said(frame)}`);
    }
    const style = getComputedStyle(node);
    const over = [node.scrollWidth - node.clientWidth, node.scrollHeight - node.clientHeight];
    const cut = [style.overflowX, style.overflowY].map((way, axis) => /auto|scroll|hidden|clip/.test(way) && over[axis] > 1);
    if (node.clientWidth > 1 && (cut[0] || cut[1])) faults.push(`${said(node)} hides ${over} px`);
  }
  const kinds = { "sub, sup, msub, msup, msubsup, munder, munderover, mfrac": "index", svg: "drawing", pre: "code", ".cm-content": "code", ".seqlib-stepper": "stepper" };
  const sizes = {};
  for (const node of all) {
    if (![...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim())) continue;
    const kind = Object.entries(kinds).find(([inside]) => node.closest(inside))?.[1] ?? "prose";
    const size = parseFloat(getComputedStyle(node).fontSize) * (node.currentCSSZoom ?? 1);
    sizes[kind] = Math.min(sizes[kind] ?? Infinity, Math.round(size * 10) / 10);
  }
  return { faults: [...new Set(faults)].slice(0, 8), sizes };
}
