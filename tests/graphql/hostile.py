"""Documents of about one kilobyte, made to cost much."""

BOMB = (
    "{...f0}"
    + "".join(f"fragment f{n} on Query{{...f{n + 1} ...f{n + 1}}}" for n in range(20))
    + ("fragment f20 on Query{viewer{name}}")
)
CYCLE = "{...a}fragment a on Query{...b ...b}fragment b on Query{...a ...a viewer{name}}"
HOSTILE = {
    "silent bomb": BOMB.replace("viewer{name}", "...nowhere"),
    "fragment bomb": BOMB,
    "fragment cycle": CYCLE,
    "wide cycle": "{...a}fragment a on Query{" + "...a " * 200 + "}",
    "alias flood": "{" + " ".join(f"a{n}:viewer{{name}}" for n in range(60)) + "}",
    "repeated field": "{" + "viewer{name}" * 80 + "}",
    "repeated field in inline fragments": "{" + "...{viewer{name}}" * 60 + "}",
    "repeated below repeated": "{" + ("viewer{" + "name " * 14 + "}") * 13 + "}",
    "repeated under the limit": "{" + ("viewer{" + "name kind tier authn subject " * 2 + "}") * 10 + "}",
    "fragments side by side": "{"
    + "".join(f"...f{n} " for n in range(30))
    + "}"
    + "".join(f"fragment f{n} on Query{{viewer{{name}}}}" for n in range(30)),
    "fragments in a fragment": "{...f0}"
    + "".join(f"fragment f{n} on Query{{viewer{{name}}...f{n + 1}}}" for n in range(24))
    + "fragment f24 on Query{viewer{name}}",
    "deep list": "{nodes(ids:" + "[" * 400 + "]" * 400 + "){id}}",
    "deep object": "{say(text:" + "{a:" * 200 + "1" + "}" * 200 + ")}",
    "deep selection": "{a" * 300 + "}" * 300,
    "deep inline fragments": "{" + "...{" * 190 + "viewer{name}" + "}" * 190 + "}",
    "huge integer": "{echo(number:" + "9" * 950 + ")}",
    "huge float": "{echo(number:1." + "9" * 950 + ")}",
    "directive flood": "{viewer" + "@skip(if:false)" * 60 + "{name}}",
    "directives everywhere": "{" + "viewer@skip(if:true){name}" * 40 + "}",
    "unknown directives": "{viewer{name" + "@a" * 450 + "}}",
    "unknown fragments": "{" + "".join(f"...f{n} " for n in range(150)) + "}",
    "unknown fields": "{" + "".join(f"viewe{n} " for n in range(120)) + "}",
    "unknown arguments": "{viewer(" + "".join(f"a{n}:1 " for n in range(150)) + "){name}}",
    "variables": "query(" + "".join(f"$a{n}:Int " for n in range(100)) + "){viewer{name}}",
    "operations": "".join(f"query q{n}{{viewer{{name}}}}" for n in range(40)),
    "operations by fragments": "".join(f"query q{n}{{...f}}" for n in range(20))
    + "fragment f on Query{...g ...g ...g}fragment g on Query{"
    + "viewer{name}" * 6
    + "}",
    "introspection bomb": "{__schema{types" + "{fields{type" * 30 + "{name}" + "}}" * 30 + "}}",
    "introspection aliases": "{" + "".join(f"a{n}:__schema{{types{{name}}}}" for n in range(30)) + "}",
    "introspection repeated": "{" + "__schema{types{name fields{name}}}" * 28 + "}",
    "tokens": "{" + "a " * 500 + "}",
    "comments": "#\n" * 500 + "{viewer{name}}",
    "commas": "," * 1000 + "{viewer{name}}",
    "block text": '{say(text:"""' + "\n " * 480 + '""")}',
    "nul": '{say(text:"' + "\\u0000" * 150 + '")}',
}
