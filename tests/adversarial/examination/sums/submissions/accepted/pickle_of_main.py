import pickle, dataclasses
@dataclasses.dataclass
class P: x: int
input()
ps = [pickle.loads(pickle.dumps(P(int(v)))) for v in input().split()]
print(sum(p.x for p in ps))
