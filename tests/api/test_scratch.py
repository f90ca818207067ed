import asyncio, json, time
import httpx, pytest
from tests.world import World
from app.main import create_app, Setup
from app.db.session import Database

async def show(world, method, path, who=None, **kw):
    h={"content-type":"application/json",**(who.headers if who else {}), **kw.pop("headers",{})}
    t=time.time()
    r=await world.client.request(method,path,headers=h,**kw)
    print(method,path[:80],r.status_code,r.text[:600], round(time.time()-t,2))
    return r

async def test_probe(world: World):
    a=await world.admin()
    P="/v1/escalation/policies"
    def pol(**f): return {"name":"x","steps":[{"delay_minutes":0,"actions":[{"type":"notify","target":"admins"}]}],**f}
    def act(*acts): return pol(steps=[{"delay_minutes":0,"actions":list(acts)}])
    for body in [
        act({"type":"pigeon"}), act({"target":"admins"}), act({"type":"notify","target":"nobody"}),
        act({"type":"notify","target":{"user":0}}), act({"type":"notify","target":{"team":1}}), act({"type":"notify"}),
        act({"type":"notify","target":"admins","channels":["pigeon"]}),
        act({"type":"notify","target":"admins","wat":1}),
        act({"type":"set_severity","severity":"bogus"}), act({"type":"set_status","status":"open"}),
        act({"type":"webhook","url":"ftp://x"}), act({"type":"comment","text":""}), act(5),
        pol(conditions={"severity":None}), pol(conditions={"severity":["bogus"]}),
        pol(conditions={"labels.a":"\x00"}), pol(conditions={"labels.\x00":"a"}), 
        pol(steps=[]), pol(steps={}), pol(conditions=[]), pol(repeat=21), pol(final_delay_minutes=-1),
    ]:
        print(json.dumps(body)[-150:])
        await show(world,"POST",P,a,json=body)
    await show(world,"POST",P,a,content=json.dumps(pol(conditions={"labels.a":"\ud800"})))
    d={}
    for _ in range(300): d={"not":d}
    await show(world,"POST",P,a,content=json.dumps(pol(conditions=d)))
    await show(world,"POST",P,a,content=b'['*100000)
    await show(world,"POST",P,a,content=b'{"name": "\xff"}')
    await show(world,"POST",P,a,content=b'{"name"')
    await show(world,"POST",P,a,content=b'')
    await show(world,"POST",P,a,content=b'5')
    await show(world,"POST",P,a,content=b'"'+b'a'*1_000_001+b'"')
    async def chunks():
        for _ in range(30): yield b'a'*100_000
    await show(world,"POST",P,a,content=chunks())
    await show(world,"GET","/v1/incidents?service=%00",a)
    await show(world,"GET","/v1/incidents?severity=bogus&status=x&page=0&per_page=101&assigned_to=0",a)
    await show(world,"GET","/v1/incidents?severity=SEV1&page=101&per_page=100",a)
    await show(world,"GET","/v1/incidents?cursor=zzz",a)
    await show(world,"GET","/v1/incidents?cursor=",a)
    i=await world.declare(a)
    for u in ["9999-12-31T23:59:59-23:59","0001-01-01T00:00:00+23:00","2020-01-01", "nope", 1e300, 1e11]:
        await show(world,"POST",f"/v1/incidents/{i['id']}/snooze",a,json={"until":u})
    await show(world,"POST",f"/v1/incidents/{i['id']}/snooze",a,json={"minutes":1e-9})
    await show(world,"POST",f"/v1/incidents/{i['id']}/snooze",a,content='{"minutes":NaN}')
    await show(world,"POST",f"/v1/incidents/{i['id']}/snooze",a,json={})
    await show(world,"POST",f"/v1/incidents",a,json={"title":"a","severity":"high","service":"a","labels":{"":"b","\x00":"c","x":5},"url":"javascript:x","tags":["",1]})
    await show(world,"POST",f"/v1/incidents",a,content=json.dumps({"title":"\ud800","severity":"high","service":"a"}))
    U="/v1/users"
    for pw in ["\x00"*8,"        ","  padded  ","short"]:
        await show(world,"POST",U,a,json={"email":f"e{len(pw)}{pw.strip()[:1]}@x.org".replace("\x00","z"),"password":pw})
    await show(world,"POST",U,a,content=json.dumps({"email":"q@x.org","password":"\ud800"*8}))
    await show(world,"POST","/v1/auth/login/access-token",json={"username":"e10p@x.org","password":"padded"})
    await show(world,"POST","/v1/auth/login/access-token",json={"username":"e10p@x.org","password":"  padded  "})
    for ct,b in [("application/json",b'{"username":"\\ud800","password":"x"}'),("application/json",b'\xff'),("multipart/form-data",b'x'),("multipart/form-data; boundary=a",b'--a\r\ngarb'),("application/x-www-form-urlencoded",b'username=%00&password=x'),("application/x-www-form-urlencoded",b'username=\xff&password=%ff'),("application/x-www-form-urlencoded",b'username=a&username=b&password=c'),("text/plain",b'{"username":"a","password":"b"}'),("application/x-www-form-urlencoded",b'&'.join(b'a=1' for _ in range(2000))),("application/json",b'['*100000),("application/json",b'null'),("application/json",b'')]:
        print(ct,b[:60])
        await show(world,"POST","/v1/auth/login/access-token",headers={"content-type":ct},content=b)
    for t in ["garbage","a.b.c","..","", "e30.e30.e30","é.é"]:
        await show(world,"GET","/v1/users/me",headers={"Authorization":f"Bearer {t}".encode()})
    import base64
    h=base64.urlsafe_b64encode(b'['*5000).decode().rstrip("=")
    await show(world,"GET","/v1/users/me",headers={"Authorization":f"Bearer {h}.e30.e30"})
    h=base64.urlsafe_b64encode(b'{"alg":["HS256"]}').decode().rstrip("=")
    await show(world,"GET","/v1/users/me",headers={"Authorization":f"Bearer {h}.e30.e30"})
    h=base64.urlsafe_b64encode(b'{"alg":{}}').decode().rstrip("=")
    await show(world,"GET","/v1/users/me",headers={"Authorization":f"Bearer {h}.e30.e30"})
    h=base64.urlsafe_b64encode(b'5').decode().rstrip("=")
    await show(world,"GET","/v1/users/me",headers={"Authorization":f"Bearer {h}.e30.e30"})
    for p in ["0","-1",str(2**63),str(2**63-1),"text","1.0","1e3","9"*5000,"%00","1%0a"]:
        await show(world,"GET",f"/v1/incidents/{p}",a)
    for t in ["x","x"*101,"é","%00","a/b"]:
        await show(world,"GET",f"/a/{t}")
        await show(world,"POST",f"/a/{t}")
    for m,p in [("HEAD","/health"),("GET","/nope"),("GET","/static/nope"),("GET","/static/../app.py"),("POST","/static/tocsin.css"),("POST","/v1/incidents/"),("GET","/v1/incidents/"),("DELETE","/v1/incidents"),("OPTIONS","/v1/incidents"),("GET","/v1"),("GET","/static"),("GET","/docs/")]:
        r=await show(world,m,p); print(dict(r.headers))

async def test_pool(world, app, server, database_url):
    a=await world.admin()
    i=await world.declare(a)
    small=Database(database_url,pool_size=2)
    object.__setattr__(app.state.service,"database",small)
    t=time.time()
    rs=await asyncio.gather(*(world.client.get("/v1/incidents",headers=a.headers) for _ in range(6)))
    print([r.status_code for r in rs], time.time()-t)
    t=time.time()
    rs=await asyncio.gather(*(world.client.post(f"/v1/incidents/{i['id']}/acknowledge",headers=a.headers) for _ in range(6)))
    print([r.status_code for r in rs], time.time()-t)
    await small.close()

@pytest.mark.parametrize("url",["postgresql+asyncpg://x:y@127.0.0.1:1/x","postgresql+asyncpg://x:y@localhost:1/x","postgresql+asyncpg://x:y@no-such-host.invalid/x","postgresql+asyncpg://x:y@/x?host=/tmp/nowhere"])
async def test_dead(settings,data_dir,url):
    app=create_app(Setup(settings,url,data_dir,"k"*40,"https://t.t"),with_worker=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app),base_url="https://t.t") as c:
        for m,p in [("GET","/health"),("GET","/ready"),("POST","/v1/auth/login/access-token"),("POST","/v1/webhooks/alerts")]:
            r=await c.request(m,p,json={"username":"a","password":"b"},headers={"X-API-Key":"x"})
            print(url,m,p,r.status_code,r.text[:300])
