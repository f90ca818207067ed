"""`make openapi`: write docs/openapi.json, and note in docs/v1-contract.txt what is promised now.

It never forgets a promise: where the service breaks one, both files stay as they are.
"""

import sys

from tests.versioning.contract import breaks, of
from tests.versioning.files import CONTRACT, DOCUMENT, noted, shown, told

if __name__ == "__main__":
    document = told()
    broken = breaks(noted(), of(document))
    if broken:
        listed = "".join(f"\n  {line}" for line in broken)
        sys.exit(
            f"This would break clients of /v1 (docs/versioning.md says what may change):{listed}"
        )
    DOCUMENT.write_text(shown(document))
    CONTRACT.write_text("\n".join(of(document).lines()) + "\n")
    sys.stdout.write(f"{len(document['paths'])} paths, {len(of(document).promises)} promises.\n")
