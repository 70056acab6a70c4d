/** SQLite has no booleans, and the driver none to bind. */
export type Flag = 0 | 1
