/** Two-sided 95% points of Student's t for 1 to 30 degrees of freedom. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The mean of some numbers and how far its 95% interval reaches to either side; null where two are missing. */
export function meanInterval(values: readonly number[]): { mean: number; half: number | null } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, half: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  // Beyond 30 the points follow 1.96 + 2.4 / df to the third digit.
  const t = T95[n - 2] ?? 1.96 + 2.4 / (n - 1);
  return { mean, half: t * Math.sqrt(variance / n) };
}
