/** How a dragged run is told from other text: its data is the line that loads it. */
export const DRAGGED = "application/vnd.celltrail.run";
