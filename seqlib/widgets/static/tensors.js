// The recording in the browser: one binary buffer, read through views and never copied cell by cell.

const TYPES = { f4: Float32Array, u1: Uint8Array };

/** {name: {dtype, shape, offset}} and the bytes -> {name: {shape, data, row}}, each a view into the same buffer. */
export function decode(meta, bytes) {
  const [buffer, start] = aligned(bytes);
  return Object.fromEntries(
    Object.entries(meta).map(([name, { dtype, shape, offset }]) => {
      const length = shape.reduce((a, b) => a * b, 1);
      return [name, tensor(shape, new TYPES[dtype](buffer, start + offset, length))];
    }),
  );
}

// A message may hand over bytes that start anywhere; a typed view must start at a multiple of four.
function aligned(bytes) {
  const buffer = bytes.buffer ?? bytes;
  const start = bytes.byteOffset ?? 0;
  if (start % 4 === 0) return [buffer, start];
  return [buffer.slice(start, start + bytes.byteLength), 0];
}

function tensor(shape, data) {
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  return { shape, data, row: (index) => data.subarray(index * width, (index + 1) * width) };
}

/** Column `index` of a matrix: the weights that a gradient flows back through. */
export function column(matrix, index) {
  const [rows, width] = matrix.shape;
  return Float32Array.from({ length: rows }, (_, row) => matrix.data[row * width + index]);
}
