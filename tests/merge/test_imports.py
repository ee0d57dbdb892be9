"""Imports merged by name: what is kept, what goes, and when a person must look."""

from __future__ import annotations

import pytest

from merge import merge_file

GAP = "\n" * 8


def merged(path: str, base: str, ours: str, theirs: str) -> str | None:
    result = merge_file(base.encode(), ours.encode(), theirs.encode(), path)
    return None if result.data is None else result.data.decode()


def test_type_only_import_stands_in_the_place_of_the_plain_one() -> None:
    assert (
        merged(
            "a.ts",
            'import { A } from "./a"\n\nf<A>()\n',
            'import { run } from "node:vm"\nimport { A } from "./a"\n\nf<A>()\n',
            'import type { A } from "./a"\n\nf<A>()\n',
        )
        == 'import { run } from "node:vm"\nimport type { A } from "./a"\n\nf<A>()\n'
    )


def test_type_only_import_is_a_question_where_the_other_side_uses_the_name_anew() -> None:
    base = 'import { A } from "./a"\n' + GAP + "f<A>()\n"
    ours = 'import { run } from "node:vm"\nimport { A } from "./a"\n' + GAP + "f<A>()\nnew A()\n"
    theirs = 'import type { A } from "./a"\n' + GAP + "f<A>()\n"
    assert merged("a.ts", base, ours, theirs) is None


def test_mention_that_the_removing_side_has_too_is_no_use() -> None:
    base = "import os\nimport re\n" + GAP + "# re is fast\nre.x()\n"
    ours = "import os\nimport sys\n" + GAP + "# re is fast\nos.x()\n"
    theirs = "import os\nimport re\nimport json\n" + GAP + "# re is fast\nre.x()\n"
    data = merged("a.py", base, ours, theirs)
    assert data is not None
    assert "import re\n" not in data


def test_name_that_a_side_now_defines_itself_is_not_imported_too() -> None:
    base = "from m import A, b\n" + GAP + "b(A)\n" + GAP + "end()\n"
    ours = "from m import b, c\n" + GAP + "A = type(None)\nb(A)\n" + GAP + "end()\n"
    theirs = "from m import A, b, d\n" + GAP + "b(A)\n" + GAP + "end(A)\n"
    data = merged("a.py", base, ours, theirs)
    assert data is not None
    assert data.startswith("from m import b, c, d\n")


def test_layout_that_one_side_chose_is_kept() -> None:
    base = 'import { a } from "m"\nimport { x } from "n"\n\nx(a)\n'
    ours = 'import { a } from "m"\nimport { x, y } from "n"\n\nx(a)\n'
    theirs = 'import {\n  a,\n  b,\n} from "m"\nimport { x, z } from "n"\n\nx(a)\n'
    expected = 'import {\n  a,\n  b,\n} from "m"\nimport { x, y, z } from "n"\n\nx(a)\n'
    assert merged("a.ts", base, ours, theirs) == expected


def test_name_joins_the_statement_with_which_it_shares_most() -> None:
    base = "use c::r::one;\nuse c::r::{Builder, Old};\n\nfn f() {}\n"
    ours = "use c::r::one;\nuse c::r::{Builder, Mine, Old};\n\nfn f() {}\n"
    theirs = "use c::r::one;\nuse c::r::{Builder, New};\n\nfn f() {}\n"
    data = merged("a.rs", base, ours, theirs)
    assert data == "use c::r::one;\nuse c::r::{Builder, Mine, New};\n\nfn f() {}\n"


def test_name_that_had_a_statement_of_its_own_keeps_it() -> None:
    base = "from t import A\nfrom t import C\n\nf()\n"
    ours = "from t import A\nfrom t import C\nfrom t import E\n\nf()\n"
    theirs = "from t import A\nfrom t import C\nfrom t import D\n\nf()\n"
    expected = "from t import A\nfrom t import C\nfrom t import D\nfrom t import E\n\nf()\n"
    assert merged("a.py", base, ours, theirs) == expected


GO = "import (\n{}\n)\n\nfunc f() {{}}\n"


def test_package_taken_from_a_repository_that_the_other_side_left_is_a_question() -> None:
    base = GO.format('\t"h.org/o/r/snap"')
    ours = GO.format('\t"h.org/o/r/client"\n\t"h.org/o/r/snap"')
    theirs = GO.format('\t"h.org/o/r/v3/snap"')
    assert merged("a.go", base, ours, theirs) is None


def test_package_with_a_new_alias_is_not_imported_twice() -> None:
    base = GO.format('\t"h.org/o/client"').replace("{}", "{ client.X() }")
    ours = GO.format('\tc1 "h.org/o/client"').replace("{}", "{ c1.X() }")
    theirs = GO.format('\t"h.org/o/client"\n\t"h.org/o/more"').replace("{}", "{ client.X() }")
    data = merged("a.go", base, ours, theirs)
    assert data is None or data.count("h.org/o/client") == 1


def test_alias_is_a_question_where_the_other_side_uses_the_old_name_anew() -> None:
    base = GO.format('\t"h.org/o/client"') + GAP + "// end\n"
    ours = GO.format('\tc1 "h.org/o/client"') + GAP + "// end\n"
    theirs = GO.format('\t"h.org/o/client"\n\t"h.org/o/more"') + GAP + "var x = client.X()\n"
    assert merged("a.go", base, ours, theirs) is None


def test_relative_path_that_changed_is_a_question() -> None:
    base = 'import { A } from "../a"\nimport { B } from "../b"\n\nf(A, B)\n'
    ours = 'import { A } from "../lib/a"\nimport { B } from "../b"\n\nf(A, B)\n'
    for theirs in (
        'import { A } from "../a"\nimport { B, C } from "../b"\n\nf(A, B)\n',
        'import { A } from "../a"\nimport { C } from "c"\nimport { B } from "../b"\n\nf(A, B)\n',
    ):
        assert merged("a.ts", base, ours, theirs) is None


def test_long_list_is_laid_out_as_its_neighbours_are() -> None:
    long = [f"a_rather_long_name_{n}" for n in range(4)]
    above = "import {\n\tx,\n\ty\n} from 'm';\n"
    lines = [f"{above}import {{ {', '.join(names)} }} from 'n';\n\nf();\n"
             for names in (long[:2], [*long[:2], long[2]], [*long[:2], long[3]])]  # fmt: skip
    data = merged("a.js", *lines)
    assert data is not None
    assert "import {\n\t" + ",\n\t".join(long) + "\n} from 'n';\n" in data


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        pytest.param(
            "f();\n",
            "import {\n  %s,\n  %s,\n  %s,\n} from '%s';\n",
            id="short lines",
        ),
        pytest.param(
            "\tf();\n", "import {\n\t%s,\n\t%s,\n\t%s,\n} from '%s';\n", id="short lines, tabs"
        ),
        pytest.param(f"f('{'x' * 110}');\n", "import { %s, %s, %s } from '%s';\n", id="long lines"),
    ],
)
def test_line_that_grows_is_laid_out_as_the_file_is(rest: str, expected: str) -> None:
    a, b, c, module = ("a" * 20, "b" * 20, "c" * 20, "m" * 25)
    base, ours, theirs = (
        f"import {{ {names} }} from '{module}';\n{rest}" for names in (a, f"{a}, {b}", f"{a}, {c}")
    )
    found = merge_file(base.encode(), ours.encode(), theirs.encode(), "a.ts")
    assert found.data == (expected % (a, b, c, module) + rest).encode()


def test_type_in_braces_and_type_import_are_the_same_import() -> None:
    base = 'import { Row } from "m/row"\n\nlet a: Row\n'
    ours = 'import type { Row } from "m/row"\n\nlet a: Row\n'
    theirs = 'import { type Row } from "m/row"\n\nlet a: Row\n'
    assert merged("a.ts", base, ours, theirs) == ours
    assert merged("a.ts", base, theirs, ours) == theirs


def test_type_in_braces_stays_one_in_a_list_that_grows() -> None:
    base = 'import { a } from "m"\n\na()\n'
    ours = 'import { a, type B } from "m"\n\na()\n'
    theirs = 'import { a, c } from "m"\n\na()\n'
    expected = 'import { a, type B, c } from "m"\n\na()\n'
    assert merged("a.ts", base, ours, theirs) == expected
    assert merged("a.ts", base, theirs, ours) == expected


def test_statements_that_one_side_made_one_are_not_doubled() -> None:
    base = 'import { a } from "m"\nimport { x } from "n"\nimport { b } from "m"\n\nf(a, b, x)\n'
    ours = base.replace('import { b } from "m"\n', 'import { b } from "m"\nimport { z } from "o"\n')
    theirs = 'import { a, b } from "m"\nimport { x } from "n"\n\nf(a, b, x)\n'
    expected = (
        'import { a, b } from "m"\nimport { x } from "n"\nimport { z } from "o"\n\nf(a, b, x)\n'
    )
    assert merged("a.ts", base, ours, theirs) == expected


def test_name_that_one_side_took_out_and_the_other_took_from_elsewhere() -> None:
    used = "import os\nfrom m.old import each\n" + GAP + "each(os)\n"
    ours = "import os\n" + GAP + "each(os)\n"  # another `each` than the one that was imported
    theirs = "import os\nfrom m.new import each\n" + GAP + "each(os)\n"
    assert merged("a.py", used, ours, theirs) is None
    assert merged("a.py", used, theirs, ours) is None
    anew = theirs + GAP + "each(end)\n"
    found = merged("a.py", used + GAP, ours.replace("each(os)", "os()") + GAP, anew)
    assert found == anew.replace("each(os)", "os()")
    unused = [text.replace("each(os)", "f(os)") for text in (used, ours, theirs)]
    assert merged("a.py", *unused) == unused[1]


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        pytest.param(["one.css", "two.css", "three.css"], True, id="one more"),
        pytest.param(["two.css"], True, id="one less"),
        pytest.param(["two.css", "one.css"], False, id="another order"),
        pytest.param(["two.css", "three.css"], False, id="one less and one more"),
    ],
)
def test_imports_for_effect_stay_in_the_order_that_one_side_gave_them(
    effects: list[str], expected: bool
) -> None:
    def text(names: list[str], *more: str) -> str:
        return "".join(f'import "{name}"\n' for name in names) + "".join(more) + "\nf()\n"

    name = 'import { a } from "m"\n'
    base = text(["one.css", "two.css"])
    ours, theirs = text(["one.css", "two.css"], name), text(effects)
    for sides in ((ours, theirs), (theirs, ours)):
        result = merged("a.ts", base, *sides)
        assert (result is not None) == expected
        assert result is None or (name in result and result.replace(name, "") == theirs)


def test_name_has_its_place_among_neighbours_that_are_called_otherwise_here() -> None:
    base = "from m import (\n    c as c,\n    a as a,\n    b as b,\n)\n\nf(a, b, c)\n"
    ours = base.replace(" as a", "").replace(" as b", "").replace(" as c", "")
    theirs = base.replace("    b as b,\n", "    d,\n    b as b,\n")
    expected = ours.replace("    b,\n", "    d,\n    b,\n")
    assert merged("a.py", base, ours, theirs) == expected
