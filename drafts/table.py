#!/usr/bin/env python3
# table.py: what each mutation did, from out/N.log, as a table
import re, subprocess, os
names = dict(l.rstrip('\n').split('\t') for l in subprocess.check_output(['python3', '/tmp/h/kunit/mutate.py'], text=True).splitlines())
names['0'] = 'none'
os.chdir('/tmp/h/kunit/out')
for n in sorted((f[:-4] for f in os.listdir('.') if f.endswith('.log')), key=int):
    t = open(n + '.log', errors='replace').read()
    t = re.sub(r'(?m)^(\r?)\[ *\d+\.\d+\] ?', '', t)
    fails, params, cur = {}, {}, None
    for l in t.splitlines():
        m = re.match(r' *# Subtest: (\w+)', l)
        if m: cur = m[1]; continue
        m = re.match(r'^ {8}not ok \d+ (.*)', l)
        if m and cur: params.setdefault(cur, []).append(m[1])
        m = re.match(r'^ {4}(not ok|ok) \d+ (test_\w+)', l)
        if m:
            if m[1] == 'not ok': fails[m[2]] = len(params.get(m[2], [])) or 1
            cur = None
    total = re.findall(r'# Totals: (pass.*)', t)
    splat = re.search(r'(BUG:[^\n]{0,70}|WARNING: [^\n]{0,70}|Oops[^\n]{0,40}|general protection[^\n]{0,30})', t)
    end = '' if '# end of tests' in t else ' DID NOT END'
    print('%s\t%s\t%s%s%s' % (n, names.get(n, '?'),
          ' '.join('%s:%d' % (k[5:], v) for k, v in fails.items()) or 'NOT CAUGHT' * (not splat and not end) ,
          ' [' + splat[1].strip() + ']' if splat else '', end))
    if n == '0': print('\t\t', total)
