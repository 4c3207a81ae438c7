"""lib_shop.py: a small model and a profile around one Postgres database, for tests of the verbs that
take a stream."""
import json
import pathlib


def _type(kind, **members):
    return {"_type": kind, **members}


def bundle(container, store, tables, platform="Lake"):
    """One store with a dataset for each table, wanted whole by one workspace."""
    repository = _type("GitHubRepository", repositoryName="example/shop", branchName="main")
    key = _type("LocationKey", locStr="Hall:Here")
    database = dict(locations=[key], isReadOnly=False, databaseName="shop", identifierLengthLimit=63,
                    poolSize=5, maxOverflow=10, hostPort=_type("HostPortPair", hostName="db", port=5432))
    credential = _type("Credential", name="shop_ro", credentialType="USER_PASSWORD")
    fresh = _type("DeprecationInfo", status="NOT_DEPRECATED")
    datasets = {
        name: _type("Dataset", name=name, deprecationStatus=fresh, originalSchema=_type(
            "DDLTable", name=name, primaryKeyColumns=_type("PrimaryKeyList", colNames=["id"]), columns={
                "id": _type("DDLColumn", name="id", type={"type": "BigInt"}, nullable=0, primaryKey=1)}))
        for name in tables}
    datastore = _type(
        "Datastore", name=store, productionStatus="PRODUCTION", deprecationStatus=fresh,
        cmd=_type("CDCCaptureIngestion", singleOrMultiDatasetIngestion=1,
                  stepTrigger=_type("CronTrigger", name="each minute", cron="*/1 * * * *"),
                  dataContainer=_type("PostgresDatabase", name=container, **database), credential=credential),
        datasets=datasets)
    sinks = {f"{store}:{name}": _type("DatasetSink", storeName=store, datasetName=name, deprecationsAllowed="NEVER")
             for name in tables}
    group = _type("DatasetGroup", name="all", sinks=sinks, platformMD=_type("WorkspacePlatformConfig", retention=_type(
        "ConsumerRetentionRequirements", milestoningStrategy="LIVE_ONLY", latency="MINUTES")))
    workspace = _type("Workspace", name="Desk", productionStatus="PRODUCTION", deprecationStatus=fresh,
                      priority=_type("WorkspacePriority", priority="HIGH"),
                      dataContainer=_type("DataPlatformManagedDataContainer", name="space", locations=[],
                                          isReadOnly=False),
                      datasetGroups={"all": group})
    provider = _type(
        "YellowPlatformServiceProvider", name="Services", locs=[key],
        credStore=_type("KubernetesEnvVarsCredentialStore", name="store", locs=[key]),
        dataPlatforms=[_type("YellowDataPlatform", name=platform, pspName="Services", milestoneStrategy="live_only",
                             stagingBatchesToKeep=5)],
        hints=[], namespace="shop", mergeRW_Credential=credential, gitCredential=credential,
        connectCredentials=credential, kafkaConnectName="connect", kafkaClusterName="kafka",
        mergeStore=_type("PostgresDatabase", name="merge", **database), airflowName="airflow",
        datasurfaceDockerImage="none", pv_storage_class="standard", image_pull_policy="IfNotPresent")
    ecosystem = _type(
        "Ecosystem", name="Shop", owningRepo=repository, liveRepo=repository,
        vendors={"Hall": _type("InfrastructureVendor", name="Hall", locations={
            "Here": _type("InfrastructureLocation", name="Here", locations={})})},
        platformServicesProviders=[provider],
        dsgPlatformMappings=[_type("DatasetGroupDataPlatformAssignments", workspace="Desk", dsgName="all", assignments=[
            _type("DSGDataPlatformAssignment", dataPlatform=platform, productionStatus="PRODUCTION",
                  deprecationsAllowed="NEVER", status="PROVISIONED")])],
        primaryIngestionPlatforms=[_type("PrimaryIngestionPlatform", storeName=store, dataPlatforms=[platform])],
        zones={"Zone": _type("GovernanceZone", name="Zone", owningRepo=repository, teams={
            "Team": _type("Team", name="Team", owningRepo=repository, dataStores={store: datastore},
                          workspaces={"Desk": workspace})})})
    return {"format": "surfboard-model", "formatVersion": 1, "source": {"system": "test"}, "ecosystem": ecosystem}


def profile(home, dsn, tables, catalog="storage", generator=True, slot="surf_shop", extra=""):
    """Writes model.json and surfboard.yaml below `home`; the stream is called `shop`. Slots are
    common to all databases of a server: tests that share one name theirs."""
    home = pathlib.Path(home)
    (home / "model.json").write_text(json.dumps(bundle("shop_db", "shop", tables)))
    kind = "{kind: storage}" if catalog == "storage" else f'{{kind: jdbc, name: lake, dsn: "{catalog}"}}'
    (home / "surfboard.yaml").write_text(f"""format: 1
context: test
state: {home}/state
model: model.json
sources:
  shop_db: {{dsn: "{dsn}", generator: {str(generator).lower()}}}
capture: {{kind: native, topic_prefix: shop}}
lake:
  deltas: {home}/deltas
  warehouse: {home}/warehouse
  catalog: {kind}
streams: {{shop: {{slot: {slot}}}}}
{extra}""")
    return home / "surfboard.yaml"
