//! Every field that can be filtered and sorted by, with every operator: no query finds who hides
//! where it does not find who is away, and none puts them in another place.

use reqwest::Method;
use rollcall_server::query::{ChannelField, Field, Kind, MemberField, Operator, UserField};
use serde_json::{Value, json};

use crate::answers::{Asker, ask};
use crate::blur::assert_same;
use crate::histories::{HISTORIES, lives};
use crate::story::{Ada, Goodbye, Story};

/// Operands for a field of this kind. Of times those that Ada's profile shows are among them.
fn operands(kind: Kind, times: &[Value]) -> Vec<Value> {
    match kind {
        Kind::Text => vec!["ada".into(), "messaging:tea".into(), "Here".into()],
        Kind::Bool => vec![true.into(), false.into()],
        Kind::Integer => vec![0.into(), 3.into()],
        Kind::Time => times.to_vec(),
        Kind::TextSet => vec!["ada".into()],
    }
}

/// Conditions on every field with each of its operators.
fn conditions<F: Field>(fields: &[F], times: &[Value]) -> Vec<Value> {
    let condition = |name: &str, operator: Operator, operand: &Value| {
        let operand = match operator {
            Operator::Exists => true.into(),
            Operator::In | Operator::Nin => json!([operand]),
            _ => operand.clone(),
        };
        json!({ name: { operator.name(): operand } })
    };
    let mut conditions = Vec::new();
    let mut add = |name: &str, kind: Kind, operators: &[Operator]| {
        for operator in operators {
            let operands = operands(kind, times);
            conditions.extend(operands.iter().map(|operand| condition(name, *operator, operand)));
        }
    };
    for field in fields {
        let rule = field.rule();
        add(field.name(), rule.kind, rule.operators);
    }
    add("status", Kind::Text, F::CUSTOM);
    for hidden in F::HIDDEN {
        add(hidden, Kind::Bool, F::CUSTOM);
    }
    conditions
}

/// Sorts by every field, both ways, and those that are refused too.
fn sorts<F: Field>(fields: &[F]) -> Vec<Value> {
    let names = fields.iter().map(|field| field.name()).chain(F::HIDDEN.iter().copied()).chain(["status"]);
    names
        .flat_map(|name| [1, -1].map(|direction| json!([{ "field": name, "direction": direction }])))
        .chain([Value::Null])
        .collect()
}

/// The queries of one resource: each condition, and each sort of everything.
fn queries<F: Field>(fields: &[F], times: &[Value]) -> Vec<Value> {
    let filtered = conditions(fields, times).into_iter().map(|filter| json!({ "filter_conditions": filter }));
    let sorted = sorts(fields).into_iter().map(|sort| json!({ "filter_conditions": {}, "sort": sort }));
    filtered.chain(sorted).collect()
}

async fn all_answers(story: &mut Story) -> Value {
    let ada = story.zoe.watch_users(&["ada"]).await.remove(0);
    let shown = ["last_active", "created_at", "updated_at"].into_iter().filter_map(|name| ada.get(name)).cloned();
    let times: Vec<Value> = shown.chain(["2020-01-01T00:00:00Z".into(), "2100-01-01T00:00:00Z".into()]).collect();
    let mut asker = Asker::new(&story.server, Some(&story.zoe.connection_id));
    for query in queries(UserField::ALL, &times) {
        asker.ask(ask(Method::GET, "/users", query)).await;
    }
    for query in queries(ChannelField::ALL, &times) {
        asker.ask(ask(Method::POST, "/channels", query)).await;
    }
    for mut query in queries(MemberField::ALL, &times) {
        query["type"] = "messaging".into();
        query["id"] = "tea".into();
        asker.ask(ask(Method::GET, "/members", query)).await;
    }
    asker.answers.into()
}

#[tokio::test]
async fn no_filter_and_no_sort_finds_who_hides() {
    // Hidden from the first moment on, and hidden later: with and without `last_active`.
    for history in [HISTORIES[0], HISTORIES[1]] {
        let mut tellings = Vec::new();
        for ada in [Ada::Hides, Ada::IsAway] {
            let mut story = lives(ada, Goodbye::AtOnce, history).await;
            let answers = all_answers(&mut story).await;
            tellings.push(story.blurred(answers));
        }
        assert_same(&tellings[0], &tellings[1], history.name);
    }
}
