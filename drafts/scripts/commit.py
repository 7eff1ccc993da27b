import subprocess,textwrap
def w(t):
    out=[]
    for p in t.strip().split('\n\n'):
        out.append(textwrap.fill(' '.join(p.split()),75,break_long_words=False,break_on_hyphens=False))
    return '\n\n'.join(out).replace('. ','. ')
def ci(paths,subj,body):
    assert len(subj)<=72,(len(subj),subj)
    subprocess.run(['git','commit','-q','-F','-','--']+paths,input=(subj+'\n\n'+w(body)+'\n').encode(),check=True)
TY='checkpatch says NEW_TYPEDEFS. The typedef is not new, only what it stands for is.'
TM='checkpatch says NEW_TYPEDEFS and MACRO_ARG_UNUSED. The typedef is not new, only what it stands for is, and the macro never used that argument.'
OWN='A PTE table has a page of its own on %s, so the descriptor of that page is the descriptor of the table, and PTE tables can be passed around as struct ptdesc * instead of struct page *.'
OBJ='kernel/fork.o, the mm/ objects that handle page tables, %s'
