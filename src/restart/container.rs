//! Restart methods: a container; a row for each runtime.

use std::time::Duration;

use crate::managers::containers::{
    ContainerRef, ContainerRuntime, is_container_name, query_container, restart_container,
};
use crate::plan::{KeyConflict, KeySpec, MethodSpec, Params, Program, ValueType};

use super::{Method, RestartCourse};

const DOCKER_NAME: KeySpec = of_name("restart.docker").help("Instead of a unit: a container of Docker");
const PODMAN_NAME: KeySpec = of_name("restart.podman").help("Instead of a unit: a container of Podman");
const COMPOSE_NAME: KeySpec =
    of_name("restart.compose").help("Instead of a unit: a service of Docker Compose");
const PROJECT: KeySpec =
    KeySpec::new("restart.project", ValueType::Folder("/opt/shop")).help("The folder of the compose file");

const MAX_NAME_BYTES: usize = 200;

pub(super) const DOCKER: Method = Method {
    spec: MethodSpec {
        program: |_| Some(Program::Fixed(ContainerRuntime::Docker.program())),
        ..MethodSpec::managed("docker", DOCKER_NAME, &[], |given| given.text(&DOCKER_NAME))
    },
    look: Some(|given, wall, limit| query_container(docker_target(given), wall, limit)),
    course: RestartCourse::Ask(|given, limit| restart_container(docker_target(given), limit)),
    obstacle: |_| None,
};

pub(super) const PODMAN: Method = Method {
    spec: MethodSpec {
        program: |_| Some(Program::Fixed(ContainerRuntime::Podman.program())),
        ..MethodSpec::managed("podman", PODMAN_NAME, &[], |given| given.text(&PODMAN_NAME))
    },
    look: Some(|given, wall, limit| query_container(podman_target(given), wall, limit)),
    course: RestartCourse::Ask(|given, limit| restart_container(podman_target(given), limit)),
    obstacle: |_| None,
};

pub(super) const COMPOSE: Method = Method {
    spec: MethodSpec {
        validate: needs_project,
        program: |given| Some(Program::Fixed(compose_target(given).runtime.program())),
        ..MethodSpec::managed("docker", COMPOSE_NAME, &[PROJECT], |given| given.text(&COMPOSE_NAME))
    },
    look: Some(|given, wall, limit| query_container(compose_target(given), wall, limit)),
    course: RestartCourse::Ask(|given, limit| restart_container(compose_target(given), limit)),
    obstacle: |_| None,
};

fn docker_target(given: &Params) -> ContainerRef<'_> {
    ContainerRef { runtime: ContainerRuntime::Docker, name: given.text(&DOCKER_NAME) }
}

fn podman_target(given: &Params) -> ContainerRef<'_> {
    ContainerRef { runtime: ContainerRuntime::Podman, name: given.text(&PODMAN_NAME) }
}

fn compose_target(given: &Params) -> ContainerRef<'_> {
    let runtime = ContainerRuntime::Compose { project: given.text(&PROJECT) };
    ContainerRef { runtime, name: given.text(&COMPOSE_NAME) }
}

const fn of_name(name: &'static str) -> KeySpec {
    KeySpec::new(name, ValueType::Text(wrong_with_name))
}

fn wrong_with_name(text: &str) -> Option<&'static str> {
    (!is_container_name(text) || text.len() > MAX_NAME_BYTES)
        .then_some("must be the name of a container: A-Z a-z 0-9 _ . -, not beginning with _ . or -")
}

fn needs_project(given: &Params, _: Duration) -> Option<KeyConflict> {
    given.text(&PROJECT).is_empty().then(|| KeyConflict {
        key: COMPOSE_NAME.name,
        what: "needs a project beside it".to_owned(),
        cure: "add project, the folder of its compose file: { compose = \"web\", project = \"/opt/shop\" }",
    })
}
