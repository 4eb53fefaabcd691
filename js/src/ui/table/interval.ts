/** Two-sided 95% points of Student's t for 1 to 30 degrees of freedom. */
const T95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** The two-sided 95% point of Student's t, of any degrees of freedom from 1 on; drawn straight over 1/df in between. */
export function t95(df: number): number {
  if (df > T95.length) return 1.959964 + 2.37227 / df + 2.8225 / df ** 2; // the expansion of Cornish and Fisher
  const whole = Math.max(1, Math.floor(df));
  const low = T95[whole - 1] as number;
  const share = df <= whole ? 0 : (1 / whole - 1 / df) / (1 / whole - 1 / (whole + 1));
  return low + share * ((T95[Math.min(whole, T95.length - 1)] as number) - low);
}

/** The mean of some numbers and how far its 95% interval reaches to either side; null where two are missing. */
export function meanInterval(values: readonly number[]): { mean: number; half: number | null } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, half: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, half: t95(n - 1) * Math.sqrt(variance / n) };
}
