import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DefaultArtifactClient } from "@actions/artifact";

const path = process.env.INPUT_PATH;
const folder = statSync(path).isDirectory();
const files = folder
  ? readdirSync(path, { recursive: true }).map((name) => join(path, name))
  : [path];
const { id, size } = await new DefaultArtifactClient().uploadArtifact(
  process.env.INPUT_NAME,
  files.filter((file) => statSync(file).isFile()),
  folder ? path : dirname(path),
);
console.log(`artifact ${id} has ${size} bytes`);
