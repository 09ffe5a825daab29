//! Accepting and rejecting links. What was decided stays: a link that got lost is suggested first when its target is
//! there again, and a pair that was rejected is not suggested at all.
use super::super::write::{for_writing, no_such, revise};
use super::super::{Tx, Writable, cluster as clusters, node as nodes};
use super::LinkType;
use crate::entity::{Decision, cluster, link_decision, node};
use crate::error::{Error, Result};
use crate::principal::Act;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

/// What to do about an object and one of NetBox's. What is wrong with the target is told under `target`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub ty: LinkType,
    /// The id of Proxmox's object.
    pub object: i32,
    /// Refuse if the object was changed since.
    pub if_last_updated: Option<DateTime<Utc>>,
    /// NetBox's id.
    pub target: i32,
    pub decision: Decision,
}

/// A model whose rows are linked to NetBox's.
pub(in crate::service) trait Linked: Writable {
    const TYPE: LinkType;

    fn link(&self) -> Option<i32>;

    fn to(target: i32) -> Self::Patch;
}

impl Linked for cluster::Model {
    const TYPE: LinkType = LinkType::ProxmoxCluster;

    fn link(&self) -> Option<i32> {
        self.netbox_cluster_id
    }

    fn to(target: i32) -> Self::Patch {
        clusters::Patch { netbox_cluster: Some(Some(target)), ..clusters::Patch::default() }
    }
}

impl Linked for node::Model {
    const TYPE: LinkType = LinkType::ProxmoxNode;

    fn link(&self) -> Option<i32> {
        self.netbox_device_id
    }

    fn to(target: i32) -> Self::Patch {
        nodes::Patch { netbox_device: Some(Some(target)), ..nodes::Patch::default() }
    }
}

/// Makes links as PATCHes do, or refuses them, and remembers it. The first thing that is wrong is told, and nothing may be
/// committed then.
pub async fn decide(tx: &mut Tx, steps: &[Step]) -> Result<()> {
    if steps.len() > 1 {
        for ty in LinkType::ALL {
            tx.take_turn(ty.object()).await?;
        }
    }
    for step in steps {
        let done = match (step.ty, step.decision) {
            (LinkType::ProxmoxCluster, Decision::Accepted) => accept::<cluster::Model>(tx, step).await,
            (LinkType::ProxmoxNode, Decision::Accepted) => accept::<node::Model>(tx, step).await,
            (LinkType::ProxmoxCluster, Decision::Rejected) => reject::<cluster::Model>(tx, step).await,
            (LinkType::ProxmoxNode, Decision::Rejected) => reject::<node::Model>(tx, step).await,
        };
        done?;
    }
    Ok(())
}

async fn accept<M: Linked>(tx: &mut Tx, step: &Step) -> Result<()> {
    let row = for_writing::<M>(tx, step.object, Act::Change, step.if_last_updated).await?;
    if row.link() == Some(step.target) {
        // Nothing changes, so nothing follows.
        return remember(tx, M::TYPE, row.id(), step.target, Decision::Accepted).await;
    }
    match revise::<M>(tx, row, &M::to(step.target)).await {
        Ok(_) => Ok(()),
        Err(Error::Input(mut problems)) => {
            problems.iter_mut().for_each(|problem| problem.path = vec!["target".into()]);
            Err(Error::Input(problems))
        }
        Err(error) => Err(error),
    }
}

async fn reject<M: Linked>(tx: &mut Tx, step: &Step) -> Result<()> {
    let row = for_writing::<M>(tx, step.object, Act::Change, step.if_last_updated).await?;
    let (kind, target) = (M::TYPE.target(), step.target);
    if !tx.sees(kind, target).await? {
        return Err(no_such("target", target).into());
    }
    if row.link() == Some(target) {
        let message = format!("the {} {} is linked to the {kind} {target}; clear the link first", M::KIND, row.id());
        return Err(Error::Conflict(message));
    }
    remember(tx, M::TYPE, row.id(), target, Decision::Rejected).await
}

/// A link that was made counts as accepted, whatever the door, and one that was cleared does no more.
pub(in crate::service) async fn follow<M: Linked>(tx: &Tx, before: &M, after: &M) -> Result<()> {
    match after.link() {
        link if link == before.link() => Ok(()),
        Some(target) => remember(tx, M::TYPE, after.id(), target, Decision::Accepted).await,
        None => forget_accepted(tx, M::TYPE, after.id()).await,
    }
}

async fn remember(tx: &Tx, ty: LinkType, object: i32, target: i32, decision: Decision) -> Result<()> {
    use link_decision::Column;
    if decision == Decision::Accepted {
        // An object has one link: the last one counts.
        forget_accepted(tx, ty, object).await?;
    }
    let row = link_decision::Model {
        object_type: ty.object().table().to_owned(),
        object_id: object,
        target_id: target,
        decision,
        actor: tx.principal().name.clone(),
        at: tx.now(),
    };
    let key = [Column::ObjectType, Column::ObjectId, Column::TargetId];
    let newer = OnConflict::columns(key).update_columns([Column::Decision, Column::Actor, Column::At]).to_owned();
    let insert = link_decision::Entity::insert(row.into_active_model().reset_all()).on_conflict(newer);
    insert.exec_without_returning(tx.connection()).await?;
    Ok(())
}

async fn forget_accepted(tx: &Tx, ty: LinkType, object: i32) -> Result<()> {
    use link_decision::Column;
    link_decision::Entity::delete_many()
        .filter(Column::ObjectType.eq(ty.object().table()))
        .filter(Column::ObjectId.eq(object))
        .filter(Column::Decision.eq(Decision::Accepted))
        .exec(tx.connection())
        .await?;
    Ok(())
}
