/** A place in the grid: row 0 is the header. */
export interface Place {
  row: number;
  column: number;
}

/** Where a key leads, or null when it is not a key that moves. */
export function moved(
  from: Place,
  key: string,
  held: boolean, // Ctrl or Cmd
  size: { rows: number; columns: number; page: number },
): Place | null {
  const { row, column } = from;
  const lastRow = size.rows - 1;
  const lastColumn = size.columns - 1;
  const to = (nextRow: number, nextColumn: number): Place => ({
    row: Math.max(0, Math.min(lastRow, nextRow)),
    column: Math.max(0, Math.min(lastColumn, nextColumn)),
  });
  switch (key) {
    case "ArrowUp":
      return held ? to(0, column) : to(row - 1, column);
    case "ArrowDown":
      return held ? to(lastRow, column) : to(row + 1, column);
    case "ArrowLeft":
      return held ? to(row, 0) : to(row, column - 1);
    case "ArrowRight":
      return held ? to(row, lastColumn) : to(row, column + 1);
    case "Home":
      return held ? to(0, 0) : to(row, 0);
    case "End":
      return held ? to(lastRow, lastColumn) : to(row, lastColumn);
    case "PageUp":
      // From the first rows one more page leads to the header, as one more arrow would.
      return to(row - size.page, column);
    case "PageDown":
      return to(row + size.page, column);
    default:
      return null;
  }
}
