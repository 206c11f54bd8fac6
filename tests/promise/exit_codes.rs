//! 0: fine; 1: something failed at run time; 2: the input is wrong. Results on standard output, problems on standard error.

use scorewatch::simulation::cloud::{EntraRefusal, SignIn};

use crate::harness::{World, entra};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_says_who_has_to_do_something() {
    let mut world = World::new().await;
    world.write();
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["check"], 0),
        (&["once"], 0),
        (&["alerts", "list", "--json"], 0),
        (&["no-such-command"], 2),
        (&["run", "--no-such-option"], 2),
        (&["once", "--tenant", "nobody"], 2),
    ] {
        let output = world.command(arguments).await;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert_eq!(output.stdout.is_empty(), code != 0, "{arguments:?}: results go to standard output only");
    }
    world.cloud.set_sign_in(entra("contoso"), Some(SignIn::Refuse(EntraRefusal::SecretWrong)));
    let output = world.command(&["once"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("secret-wrong"), "{output:?}");

    world.setup.top = "colour_of_the_moon: green\n".to_owned();
    world.setup.rules = world.setup.rules.replace("[soc]", "[nobody]");
    world.write();
    for arguments in [["check"], ["run"], ["once"]] {
        let output = world.command(&arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        for expected in ["colour_of_the_moon", "nobody", "rules.yaml:6:", "scorewatch.yaml:"] {
            assert!(said.contains(expected), "{arguments:?}: every problem with its place, {expected}: {said}");
        }
    }
    std::fs::remove_file(world.folder.config()).unwrap();
    assert_eq!(world.command(&["run"]).await.status.code(), Some(2));
}
