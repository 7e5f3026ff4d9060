"""Writes what Jinja 3.1, set up as chat templates are rendered, makes of many small templates.

`python3 Tools/templates/goldens.py > Tests/Goldens/jinja.json`;
needs jinja2. Each case is {template, context, text}, or {.., error: true} where Jinja refuses it.
"""

import json
import pathlib
import sys

from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

CONTEXT = {
    "messages": [{"role": "user", "content": "Hi there"}, {"role": "assistant", "content": "Yo"}],
    "s": "Hello big World", "e": "", "n": 3, "f": 2.5, "neg": -7, "none_": None, "t": True,
    "xs": [3, 1, 2], "words": ["b", "A", "a", "C"], "floats": [1.5, -2.25],
    "people": [{"name": "Zoe", "age": 30, "a": {"b": 2}}, {"name": "al", "age": 25, "a": {"b": 1}},
               {"name": "Bob", "age": 30, "a": {"b": 3}}],
    "d": {"b": 2, "A": 1, "c": 3}, "html": "<b class=\"x\">A & B's</b>", "lines": "a\nb\n\nc",
    "url": "a b/c?d=é&e", "long": "The quick brown fox jumps over the lazy-dog again and again",
}

# Expressions, each printed.
EXPRESSIONS = (pathlib.Path(__file__).parent / "expressions.txt").read_text().strip("\n").split("\n")

STATEMENTS = [
    "{%- macro wrap(tag) -%}<{{ tag }}>{{ caller() }}</{{ tag }}>{%- endmacro -%}"
    "{%- call wrap('u') -%}{{ messages[0].content }}{%- endcall -%}",
    "{% macro each(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}"
    "{% call(x, i) each(xs) %}[{{ i }}:{{ x }}]{% endcall %}",
    "{% macro m(a, b=2, *c) %}{{ a }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, b=3) }} {{ m(b=5, a=4) }}",
    "{% macro m(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, z=2) }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}",
    "{% macro m(x, y=x) %}{{ y }}{% endmacro %}{{ m(3) }}",
    "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}",
    "{% set a = 5 %}{% with a = 1 %}{{ a }}{% endwith %}{{ a }}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q is defined }}",
    "{% with a = 1 %}{% with b = a + 1 %}{{ a }}{{ b }}{% endwith %}{% endwith %}",
    "{% for k, g in people | groupby('age') %}{{ k }}:{{ g | map(attribute='name') | join('+') }};{% endfor %}",
    "{% for g in people | groupby('age') %}{{ g.grouper }}:{{ g.list | length }};{% endfor %}",
    "{% for k, g in words | groupby(0) %}{{ k }}{{ g | length }}{% endfor %}",
    "{% for k, g in [{'x': 'a'}, {'x': 'A'}, {}] | groupby('x', default='z') %}{{ k }}{{ g | length }}{% endfor %}",
    "{% for x in xs %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{{ loop.changed(x) }}{% endfor %}",
    "{% for x in xs %}{{ loop.previtem | default('-') }}{{ loop.nextitem | default('-') }} {% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{{ loop.length }}{% else %}none{% endfor %}",
    "{% for x in xs if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in [[1, [2, [3]]], [4]] recursive %}{{ loop.depth }}"
    "{% if x is iterable %}({{ loop(x) }}){% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in xs %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if x == 2 %}{% break %}{% endif %}{% endfor %}",
    "{% for a, b in d.items() %}{{ a }}={{ b }} {% endfor %}",
    "{% for a, (b, c) in [[1, [2, 3]]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% set ns = namespace(x=0, l=[]) %}{% for i in xs %}{% set ns.x = ns.x + i %}"
    "{% set ns.l = ns.l + [i] %}{% endfor %}{{ ns.x }}{{ ns.l }}",
    "{% set a = namespace(v=1) %}{% set b = namespace(v=2) %}{% for q in [a, b] %}{% set q.v = q.v * 10 %}"
    "{% endfor %}{{ a.v }} {{ b.v }} {{ [a, b] | map(attribute='v') | list }}",
    "{% set x %}a{{ n }}b{% endset %}{{ x }}|{{ x | length }}",
    "{% set x | upper | trim %} a{{ n }}b {% endset %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set x = 1 %}{% for i in xs %}{% set x = i %}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% filter upper %}a{{ n }}{% endfilter %}",
    "{% filter replace('a', 'b') | trim %} aa {% endfilter %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{# comment #}a{#- x -#}  b",
    "a  {%- if true -%}  b  {%- endif -%}  c",
    "{% if n == 1 %}a{% elif n == 3 %}b{% else %}c{% endif %}",
    "  {% if true %}\n  x\n  {% endif %}\ny",
    "{{ 'a' }}\n{% set q = 1 %}\n{{ q }}\n",
    "{%+ if true %} x{% endif %}",
    "{% block content %}x{{ n }}{% endblock %}",
    "{% set m = messages %}{% if m[0].role == 'system' %}{% set m = m[1:] %}{% endif %}{{ m | length }}",
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' + m['content'] + '\\n' }}{% endfor %}",
    "{% do xs.append(1) %}",
    "{{ xs.append(1) }}",
    "{{ d.update({'q': 1}) }}",
    "{% set _ = d.pop('b') %}",
    "{% include 'x' %}",
    "{{ 1 + }}", "{% if %}", "{{ 'a }}", "{% for x xs %}{% endfor %}", "{% endfor %}", "{{ a b }}",
    "{% set steps = {0: 0, 512: 128, 1024: 256} %}{% for k, v in steps | dictsort %}{{ k }}={{ v }} {% endfor %}{{ steps[512] }}",
    "{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools | selectattr('type', 'equalto', 'code') | list | length }}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% set f = {'g': 1} %}{% macro m() %}{{ f.g }}{% endmacro %}{{ m() }}",
    "{% for i in range(3) %}{% for j in range(2) %}{{ loop.index }}{% endfor %}{{ loop.index }};{% endfor %}",
    "{{ messages[0].content if messages[0].content is string else messages[0].content[0].text }}",
    "{%- for m in messages -%}{%- if loop.first -%}F{%- endif -%}{%- set c = m.content | trim -%}{{ c }}{%- endfor -%}",
    "{% for x in undefined_ %}{{ x }}{% else %}E{% endfor %}",
    "{% for x in none_ %}{{ x }}{% endfor %}",
    "{% for c in 'ab' %}{{ c }}{{ loop.length }}{% endfor %}",
]


def environment():
    made = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])

    def raise_exception(message):
        raise ValueError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    return made


def case(made, template):
    result = {"template": template}
    try:
        result["text"] = made.from_string(template).render(**CONTEXT)
    except Exception:  # Jinja, Python and the template itself refuse in their own ways.
        result["error"] = True
    return result


def main():
    made = environment()
    templates = ["{{ " + text.strip() + " }}" for text in EXPRESSIONS] + STATEMENTS
    document = {"context": CONTEXT, "cases": [case(made, template) for template in templates]}
    json.dump(document, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
