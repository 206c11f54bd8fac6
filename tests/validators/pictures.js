// Says in `#verdict` what a reader can't see as a whole: text beyond the edges of the page or of a box that cuts it off, and what is
// wider than the page.
{
  const SLACK = 1.5;
  // Glyphs may be a little higher than their line.
  const SLACK_BELOW = 4;
  const isShown = (one) => !['SCRIPT', 'STYLE', 'TITLE', 'HEAD', 'META'].includes(one.tagName) && one.getClientRects().length > 0;
  const excerpt = (text) => text.trim().replace(/\s+/g, ' ').slice(0, 60);
  const found = [];
  const width = document.documentElement.clientWidth;
  // Boxes, empty ones as well.
  for (const one of document.body.querySelectorAll('*')) {
    if (!isShown(one)) continue;
    const box = one.getBoundingClientRect();
    if (box.width > 0 && (box.right > width + SLACK || box.left < -SLACK)) found.push(`wider than the page: ${excerpt(one.textContent) || one.tagName}`);
    const style = getComputedStyle(one);
    if (style.overflowX !== 'visible' && one.scrollWidth > one.clientWidth + SLACK && one.clientWidth > 0) found.push(`cut at its side: ${excerpt(one.textContent)}`);
    if (style.overflowY !== 'visible' && one.scrollHeight > one.clientHeight + SLACK_BELOW && one.clientHeight > 0) found.push(`cut below: ${excerpt(one.textContent)}`);
  }
  // Text, wherever its own box ends.
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (!text.data.trim() || !isShown(text.parentElement)) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const cuts = [];
    for (let box = text.parentElement; box && box !== document.documentElement; box = box.parentElement) {
      const style = getComputedStyle(box);
      if (style.overflowX !== 'visible' || style.overflowY !== 'visible') cuts.push(box.getBoundingClientRect());
    }
    for (const part of range.getClientRects()) {
      const isOff = part.right > width + SLACK || part.left < -SLACK || part.top + scrollY < -SLACK_BELOW;
      const isCut = cuts.some((box) => part.right > box.right + SLACK || part.left < box.left - SLACK || part.bottom > box.bottom + SLACK_BELOW || part.top < box.top - SLACK_BELOW);
      if (part.width > 0 && (isOff || isCut)) { found.push(`text is cut: ${excerpt(text.data)}`); break; }
    }
  }
  const verdict = document.createElement('pre');
  verdict.id = 'verdict';
  verdict.textContent = [...new Set(found)].slice(0, 12).join('; ') || 'good';
  verdict.style.display = 'none';
  document.body.append(verdict);
}
