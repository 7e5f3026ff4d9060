"""Writes what Jinja 3.1, set up as chat templates are rendered, makes of many small templates.

`python3 Tools/templates/goldens.py > Tests/Goldens/jinja.json`;
needs jinja2. Each case is {template, context, text}, or {.., error: true} where Jinja refuses it.
"""

import json
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
EXPRESSIONS = r"""
{0: 'a', 512: 'b'}[512]
{0: 'a', 'x': 'b', none: 'c', 1.5: 'd'}
{1: 2} | tojson
{1: 'x'}[true]
({'a': 1, 2: 3} | dictsort) if false else 'mixed'
{2: 'b', 1: 'a'} | dictsort
2 in {2: 1}
'2' in {2: 1}
{2: 5}.get(2)
{2: 5}.get('2', 'no')
{0: 1, 1: 2}.keys() | list
{0: 1, 1: 2}.items() | list | length
d | dictsort
d | dictsort(true)
d | dictsort(case_sensitive=true, reverse=true)
d | dictsort(by='value', reverse=true)
d | dictsort(by='age')
xs | sort
xs | sort(reverse=true)
xs | sort(true)
words | sort
words | sort(case_sensitive=true)
words | sort(reverse=true)
people | sort(attribute='age') | map(attribute='name') | join(',')
people | sort(attribute='age,name') | map(attribute='name') | join(',')
people | sort(attribute='age', reverse=true) | map(attribute='name') | join(',')
people | sort(attribute='a.b') | map(attribute='name') | list
words | unique | join
words | unique(true) | join
people | unique(attribute='age') | map(attribute='name') | list
xs | sum
xs | sum(start=10)
people | sum(attribute='age')
people | sum('age', 5)
words | min
words | max
words | min(case_sensitive=true)
people | min(attribute='age')
people | max(attribute='name') 
[] | min
xs | max
people | map(attribute='zzz', default='-') | join
people | map(attribute='a.b') | list
words | map('upper') | join
words | map('replace', 'a', 'x') | join
xs | map('string') | join('-')
[[1,2],[3]] | map('length') | list
[[1, 2], [3, 4]] | map(attribute=1) | list
none_ | map('upper') | list
none_ | selectattr('type', 'equalto', 'code') | list | length
none_ | select | list
none_ | rejectattr('x') | list
none_ | length
none_ | join
none_ | upper
none_ | default('x')
none_ | default('x', true)
undefined_ | default('x')
undefined_ | d
e | default('x', boolean=true)
undefined_ | length
undefined_ | list
undefined_ | join
undefined_ | upper
undefined_ | trim
undefined_
undefined_.x
none_.x
none_['x'] is defined
n | trim
people | selectattr('age', 'gt', 26) | map(attribute='name') | list
people | selectattr('name') | list | length
people | rejectattr('age', '==', 30) | map(attribute='name') | list
xs | select('odd') | list
xs | reject('odd') | list
xs | select('divisibleby', 3) | list
xs | select('in', [1, 2]) | list
xs | batch(2) | list
xs | batch(2, 'x') | list
xs | batch(linecount=2, fill_with='x') | list
xs | slice(2) | list
xs | slice(2, 'x') | list
[1,2,3,4,5,6,7] | slice(3) | list
people | groupby('age') | list | length
f | round
f | round(1)
2.675 | round(2)
1.005 | round(2)
n | round
n | round(1)
2.1 | round(method='ceil')
2.9 | round(0, 'floor')
2.345 | round(2, 'ceil')
1234.5 | round(-2)
1234 | round(-2)
f | round(1, 'bad')
42.7 | int
'42' | int
'42.9' | int
'x' | int
'x' | int(7)
'x' | int(default=7)
'ff' | int(base=16)
'0x1F' | int(0, 16)
'101' | int(base=2)
'1_000' | int
none_ | int
none_ | int(3)
'1.5' | float
'x' | float
'x' | float(2.5)
none_ | float(1.0)
neg | abs
-2.5 | abs
n | string
s | upper
s | lower
s | title
s | capitalize
"it's o'neil-x" | title
"it's o'neil-x".title()
s | replace('l', 'L')
s | replace('l', 'L', 1)
s | replace('l', 'L', count=2)
s | trim
'  x ' | trim
'xxaxx' | trim('x')
'xxaxx' | trim(chars='x')
s | length
s | count
s | wordcount
s | reverse
xs | reverse | list
s | first
s | last
xs | first
[] | first
s | list | length
s | center(25)
s | center(26)
'ab' | center(5)
html | escape
html | e
html | striptags
html | safe
lines | indent
lines | indent(2)
lines | indent(2, true)
lines | indent(2, first=true)
lines | indent(width=2, blank=true)
lines | indent('> ')
long | truncate
long | truncate(20)
long | truncate(20, true)
long | truncate(20, end='..')
long | truncate(length=20, killwords=true, end='!', leeway=0)
long | truncate(56)
long | wordwrap(20)
long | wordwrap(10)
long | wordwrap(5)
long | wordwrap(5, false)
long | wordwrap(20, wrapstring='|')
long | wordwrap(47)
long | wordwrap(47, break_on_hyphens=false)
lines | wordwrap(20)
url | urlencode
{'a b': 'c&d', 'x': 1} | urlencode
{'class': 'x', 'id': none, 'title': '<a>'} | xmlattr
'%s has %d' | format('x', 3)
'%(a)s-%(b)05.1f' | format(a='x', b=2.25)
'%s-%s' % ('a', 1)
'%d%%' % 5
'%5s|%-5s|%05d|%+d' % ('a', 'b', 42, 7)
'%x %X %o' % (255, 255, 8)
'%.3f %e %g' % (2.5, 12345.678, 0.0001)
'%r' % 'a'
'%.2s' % 'abc'
'%s' % 'a'
'%s %s' % 'a'
'%q' % 1
100 | filesizeformat
1 | filesizeformat
13000 | filesizeformat
4100000 | filesizeformat(true)
1e12 | filesizeformat
s | nosuchfilter
s | upper(1)
s | trim(foo=1)
xs | join(', ')
xs | join(d='-')
people | join(', ', attribute='name')
people | join(attribute='age')
s.split()
s.split(' ', 1)
s.split('l')
s.rsplit(' ', 1)
s.rsplit('l', 2)
s.rsplit(none, 1)
s.rsplit()
s.partition(' ') | list
s.rpartition(' ') | list
s.partition('zz') | list
s.find('o')
s.rfind('o')
s.find('zz')
s.find('o', 5)
s.find('o', 5, 8)
s.index('o')
s.index('zz')
s.rindex('o')
s.count('l')
s.count('l', 4)
s.startswith('He')
s.startswith(('x', 'H'))
s.endswith('ld')
s.swapcase()
s.center(21, '*')
s.ljust(18) ~ '|'
s.rjust(18, '.')
'42'.zfill(5)
'-42'.zfill(5)
'abc'.isalpha()
'ab1'.isalnum()
'12'.isdigit()
'12'.isnumeric()
'12'.isdecimal()
'AB'.isupper()
'ab'.islower()
'Ab Cd'.istitle()
' '.isspace()
'a\tb'.expandtabs(4)
'ß'.casefold()
'a\nb\r\nc'.splitlines()
'a\nb'.splitlines(true)
'xay'.removeprefix('x').removesuffix('y')
'xxhixx'.strip('x')
'a-b'.replace('-', '+')
'-'.join(words)
s[0]
s[-1]
s[2:5]
s[::-1]
s[::2]
s[-5:]
s[:-3]
xs[1:]
xs[::-1]
xs[5]
xs[-1]
s is string
n is number
n is integer
f is float
t is boolean
t is true
none_ is none
d is mapping
xs is sequence
xs is iterable
n is iterable
s is sequence
n is odd
4 is even
9 is divisibleby 3
9 is divisibleby(3)
n is eq 3
n is lt 5
n is ge 3
n is ne 3
n is in xs
'a' is lower
'A' is upper
n is sameas 3
none_ is sameas none
undefined_ is undefined
s is defined
'upper' is filter
'nosuch' is filter
'odd' is test
raise_exception is callable
s is nosuchtest
s is not none
not s is none
1 if none_ else 2
1 if false
n + 1
n / 2
n // 2
neg // 2
neg % 3
n ** 2
2 ** -1
-n ** 2
n * 'ab'
'ab' * 2
[1] * 3
[1] + [2]
(1, 2) | list
'a' ~ 1 ~ none_ ~ true
1 < 2 < 3
3 > 2 > 2
'a' < 'b'
[1, 2] < [1, 3]
1 == 1.0
'1' == 1
true == 1
none_ == false
xs == [3, 1, 2]
1 and 2
0 or 'x'
not 0
d.b
d['b']
d.items() | list | length
d.get('zz')
d.get('zz', 5)
d.keys() | list
d.values() | list
d.zz
d['zz'] is defined
d | length
d | list
d | items | list | length
d | tojson
d | tojson(indent=2)
[1, [2, {'a': none, 'b': true}], 'é<&\'"'] | tojson
xs | tojson(indent=1)
s | tojson
1.0 | tojson
range(5) | list
range(1, 10, 3) | list
range(5, 0, -2) | list
dict(a=1, b=2)
dict(d, z=1) | length
namespace(a=1).a
1e3
1_000
0x1F
1.50
10 / 4
7.0
1e20
1e16
0.1 + 0.2
-0.0
'\n\t\\\'"'
"\u00e9\x41"
'a' 'b'
[1, 2,]
{'a': 1,}
(1,) | list
[[1, 2], [3]] | tojson
people | map(attribute='name') | map('lower') | sort | join(' ')
messages[0]['content'][:2]
messages | length
messages[-1].role
messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | first
(messages | last).content
loop
s.nosuch()
raise_exception('no')
words | attr('x')
s | pprint
xs | pprint
"a" in "abc"
"z" not in words
s | upper | lower | title
xs|length>2
"%02d:%02d" | format(5, 7)
'{}' | length
"a b" | urlencode
"1,2".split(',') | map('int') | sum
s | string | length
True and none_ is none
[none_, 1] | select | list
[none_, 1] | reject('none') | list
[0, 1, '', 'a'] | select | list
[1, 2, 3] | select('greaterthan', 1) | list
[{'a': 1}, {}] | selectattr('a', 'defined') | list | length
[{'a': 1}, {}] | rejectattr('a', 'undefined') | list | length
[{'a': {'b': 1}}] | map(attribute='a.b') | first
"abc"|list|join('-')
"a,b" | replace(',', ', ')
"" | default('empty', true)
d.items() | map('first') | list
d | dictsort | map('last') | list
xs | list | sort | last
""".strip("\n").split("\n")

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
