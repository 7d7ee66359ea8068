// Which rows of a long table are drawn: those that are seen, and some more to either side.

/** Rows that are drawn beyond what is seen, so that scrolling and the Tab key find them. */
const MARGIN = 12;

/**
 * @param {number} count rows in all
 * @param {number} height of one row, in pixels
 * @param {number} above pixels of the rows that lie above what is seen; negative while they begin below its top
 * @param {number} seen pixels that are seen
 * @returns {{first: number, end: number}} rows from `first` up to, and without, `end`
 */
export function drawn(count, height, above, seen) {
  const clipped = (row) => Math.min(Math.max(row, 0), count);
  return { first: clipped(Math.floor(above / height) - MARGIN), end: clipped(Math.ceil((above + seen) / height) + MARGIN) };
}
