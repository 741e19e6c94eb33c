// Makes one element like another in place: what has focus or half-typed text stays the same node.
const key = (node) => node.id || node.dataset?.key;
const alike = (old, fresh) => old && old.nodeName === fresh.nodeName && key(old) === key(fresh);

export function morph(old, fresh) {
  const typed = old.matches?.("textarea, input:not([type=hidden])"); // it stays as it is
  if (typed || old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.nodeValue = fresh.nodeValue);
  for (const { name } of [...old.attributes]) name === "open" || fresh.hasAttribute(name) || old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) name === "open" || old.setAttribute(name, value); // the reader folds
  const wanted = new Set([...fresh.childNodes].map(key));
  for (const node of [...old.childNodes]) {
    if (key(node) && !wanted.has(key(node))) node.remove(); // first: a node that moves loses focus
  }
  const keyed = new Map([...old.childNodes].filter(key).map((node) => [key(node), node]));
  let place = old.firstChild;
  for (const one of [...fresh.childNodes]) {
    const found = key(one) ? keyed.get(key(one)) : place;
    if (!alike(found, one)) old.insertBefore(one, place);
    else {
      if (found === place) place = place.nextSibling;
      else old.insertBefore(found, place);
      morph(found, one);
    }
  }
  while (place) [place] = [place.nextSibling, place.remove()];
}
