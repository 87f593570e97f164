// The methods of the official SDK that no story calls, and why. Those of its `ChannelState` are not
// counted: they ask the server nothing, and the SDK calls them itself as events come.

/** By reason: names of `StreamChat`'s, and of `Channel`'s as `Channel.name`. */
const REASONS = {
  'an old name of one that is driven': `
    setUser setAnonymousUser disconnect updateUsers markAllRead`,
  'driven through others, which are its only use': `
    connect recoverState get put post patch delete sendFile doAxiosRequest dispatchEvent
    handleResponse errorFromResponse validateServerSideAuth Channel.getClient Channel.getConfig
    Channel.markAsReadRequest Channel.clean`,
  'asks the server nothing': `
    setOfflineDBApi getAuthType setBaseURL createToken hydrateActiveChannels getChannelById
    getChannelByMembers createChannelManager setMessageComposerSetupFunction setUserAgent
    getUserAgent createAbortControllerForNextRequest axiosInstance logger setLocalDevice
    userMuteStatus campaign segment channelBatchUpdater verifyWebhook verifyAndParseWebhook parseSqs
    parseSns Channel.muteStatus Channel.lastMessage Channel.lastRead Channel.countUnreadMentions
    Channel.markReadLocally`,
  'user groups, locations and statistics': `
    queryUserGroups createUserGroup getUserGroup searchUserGroups updateUserGroup deleteUserGroup
    addUserGroupMembers removeUserGroupMembers getSharedLocations updateLocation
    Channel.sendSharedLocation Channel.stopLiveLocationSharing queryTeamUsageStats`,
  'moderation': `
    unbanUser shadowBan removeShadowBan getBlockedUsers unBlockUser unmuteUser flagMessage
    unflagMessage unflagUser unblockMessage updateFlags queryFutureChannelBans queryMessageFlags
    createBlockList listBlockLists getBlockList updateBlockList deleteBlockList Channel.banUser
    Channel.unbanUser Channel.shadowBan Channel.removeShadowBan Channel.unmute
    Channel.enableSlowMode Channel.disableSlowMode`,
  'messages, beyond sending them': `
    queryReactions translateMessage translate pinMessage unpinMessage ephemeralUpdateMessage
    undeleteMessage commitMessage queryMessageHistory enrichURL queryDrafts createReminder
    updateReminder deleteReminder queryReminders markChannelsDelivered syncDeliveredCandidates
    uploadFile uploadImage deleteFile deleteImage Channel.search Channel.deleteFile
    Channel.deleteImage Channel.deleteReaction Channel.getPinnedMessages Channel.getReactions
    Channel.sendAction Channel.createDraft Channel.deleteDraft Channel.getDraft
    Channel.updateAIState Channel.clearAIIndicator Channel.stopAIResponse`,
  'threads': `
    getThread partialUpdateThread`,
  'polls': `
    getPoll updatePoll partialUpdatePoll deletePoll closePoll createPollOption getPollOption
    updatePollOption deletePollOption castPollVote addPollAnswer removePollVote queryPolls
    queryPollVotes queryPollAnswers Channel.vote Channel.removeVote`,
  'push notifications': `
    removeDevice setPushPreferences testPushSettings testSQSSettings testSNSSettings getHookEvents
    upsertPushProvider deletePushProvider listPushProviders`,
  'channel types, permissions and commands are fixed': `
    deleteChannelType createCommand getCommand updateCommand deleteCommand listCommands
    getPermission createPermission updatePermission deletePermission listPermissions createRole
    listRoles searchRoles deleteRole createPredefinedFilter getPredefinedFilter
    updatePredefinedFilter deletePredefinedFilter listPredefinedFilters Channel.addFilterTags
    Channel.removeFilterTags updateChannelsBatch`,
  'exports and retention': `
    exportUser exportUsers exportChannel exportChannels getExportChannelStatus setRetentionPolicy
    deleteRetentionPolicy getRetentionPolicy getRetentionPolicyRuns`,
  'campaigns': `
    createSegment createUserSegment createChannelSegment getSegment updateSegment addSegmentTargets
    querySegmentTargets removeSegmentTargets querySegments deleteSegment segmentTargetExists
    createCampaign getCampaign startCampaign queryCampaigns updateCampaign deleteCampaign
    stopCampaign`,
};

/** As `Class.method`. */
export const notDriven = new Set(
  Object.values(REASONS).flatMap((names) =>
    names.trim().split(/\s+/).map((name) => (name.includes('.') ? name : `StreamChat.${name}`)),
  ),
);

/** The names of an object's public methods. */
export function methodsOf(object) {
  const names = [...Object.getOwnPropertyNames(Object.getPrototypeOf(object)), ...Object.keys(object)];
  return names.filter((name) => !/^(_|constructor$)/.test(name) && typeof object[name] === 'function');
}
