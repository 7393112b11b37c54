"""Calls of the official Python REST client against a running server; prints what it got as one JSON object.

python-program.py PART BASE_URL EMAIL PASSWORD [ARGUMENT]
"""
import json
import sys
import tempfile
import time

from tb_rest_client import RestClient
from tb_rest_client.models import (
    Asset,
    BulkImportRequest,
    ColumnMapping,
    Device,
    DeviceId,
    DeviceProfile,
    DeviceProfileData,
    EntityRelation,
    Mapping,
    SaveOtaPackageInfoRequest,
)
from tb_rest_client.rest import ApiException


def signed_in(base_url, email, password):
    client = RestClient(base_url=base_url)
    client.login(username=email, password=password)
    return client


def entities(client):
    user = client.get_user()
    default = client.get_default_device_profile_info()
    data = DeviceProfileData(configuration={"type": "DEFAULT"}, transport_configuration={"type": "DEFAULT"})
    profile = client.save_device_profile(
        DeviceProfile(name="Thermometer", type="DEFAULT", transport_type="DEFAULT", profile_data=data)
    )
    assets = client.get_default_asset_profile_info()
    asset = client.save_asset(Asset(name="Building 1", type="building"))
    device = client.save_device(Device(name="Thermometer 1", device_profile_id=profile.id))
    relation = client.save_relation(EntityRelation(_from=asset.id, to=device.id, type="Contains", type_group="COMMON"))
    found = client.get_tenant_devices(page_size=10, page=0)
    return {
        "email": user.email,
        "defaultProfile": default.name,
        "profile": profile.name,
        "defaultAssetProfile": assets.name,
        "assetType": asset.type,
        "deviceType": device.type,
        "relation": [relation.type, relation._from.id == asset.id.id, relation.to.id == device.id.id],
        "devices": [one.name for one in found.data],
    }


def refresh(client):
    with client:
        first = client.get_token()
        deadline = time.time() + 20
        while client.get_token() == first and time.time() < deadline:
            time.sleep(0.1)
        second = client.get_token()
        email = client.get_user().email
    client.token_login(first)
    try:
        client.get_user()
        old = 200
    except ApiException as refused:
        old = refused.status
    return {"changed": first != second, "email": email, "oldToken": old}


def telemetry(client, device):
    client.save_entity_attributes_v2(entity_id=device, scope="SERVER_SCOPE", body={"floor": 3, "tags": ["a"]})
    client.save_device_attributes(device_id=device, scope="SHARED_SCOPE", body={"target": 21.5})
    attributes = client.get_attributes_by_scope(entity_id=device, scope="SERVER_SCOPE", keys="floor,tags")
    client.save_entity_telemetry(entity_id=device, scope="ANY", body={"ts": 1000, "values": {"t": 20}})
    client.save_entity_telemetry(entity_id=device, scope="ANY", body={"ts": 2000, "values": {"t": 22, "h": 40}})
    latest = client.get_latest_timeseries(entity_id=device, keys="t,h", use_strict_data_types=True)
    history = client.get_timeseries(entity_id=device, keys="t", start_ts=0, end_ts=3000, order_by="ASC")
    average = client.get_timeseries(
        entity_id=device, keys="t", start_ts=0, end_ts=3000, agg="AVG", interval=3000
    )
    return {
        "attributes": {one.key: one.value for one in attributes},
        "keys": sorted(client.get_attribute_keys(entity_id=device)),
        "series": sorted(client.get_timeseries_keys_v1(entity_id=device)),
        "latest": {key: points[0].value for key, points in latest.items()},
        "history": [[point.ts, point.value] for point in history["t"]],
        "average": average["t"][0].value,
    }


def calls(client, device_id):
    device = DeviceId(id=device_id, entity_type="DEVICE")
    call = {"method": "setValue", "params": {"on": True}}
    return {
        "V1": client.handle_two_way_device_rpc_request(device, call),
        "V1 one-way": client.handle_one_way_device_rpc_request(device, call),
        "V2": client.handle_two_way_device_rpc_request_v1(device, call),
        "V2 one-way": client.handle_one_way_device_rpc_request_v1(device, call),
    }


def firmware(client, bytes_of_file):
    profile = client.get_default_device_profile_info()
    info = client.save_ota_package_info(
        SaveOtaPackageInfoRequest(
            title="fw", version="1.0", type="FIRMWARE", device_profile_id=profile.id, uses_url=False
        )
    )
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(bytes_of_file)
        file.flush()
        saved = client.save_ota_package_data(info.id, "SHA256", file.name)
    downloaded = client.download_ota_package(info.id)
    if isinstance(downloaded, str):
        downloaded = open(downloaded, "rb").read()
    return {
        "hasData": saved.has_data,
        "size": saved.data_size,
        "checksum": saved.checksum,
        "same": bytes(downloaded) == bytes_of_file,
    }


def bulk_import(client):
    mapping = Mapping(
        columns=[
            ColumnMapping(type="NAME"),
            ColumnMapping(type="TYPE"),
            ColumnMapping(type="SERVER_ATTRIBUTE", key="floor"),
        ],
        delimiter=",",
        header=True,
        update=True,
    )
    result = client.process_devices_bulk_import(
        BulkImportRequest(file="name,type,floor\nBulk 1,meter,1\nBulk 2,meter,2\n", mapping=mapping)
    )
    return {"created": result.created, "updated": result.updated, "errors": result.errors}


def everything(client, device_id):
    device = DeviceId(id=device_id, entity_type="DEVICE")
    return {
        "telemetry": telemetry(client, device),
        "calls": calls(client, device_id),
        "firmware": firmware(client, b"firmware" * 1000),
        "bulk": bulk_import(client),
    }


PARTS = {"entities": entities, "refresh": refresh, "everything": everything}
_, part, base_url, email, password, *more = sys.argv
print(json.dumps(PARTS[part](signed_in(base_url, email, password), *more)))
