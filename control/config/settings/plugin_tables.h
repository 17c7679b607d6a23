// All types of plugins. These rows generate the variant of settings (settings.h) and the list of
// types (plugins/types.cpp). They also require the compiler's functions for each type
// (control/program/build/compile.h).
#pragma once

// X(settings, kind): the result of reading `args`, and how the compiler handles it:
//   set       not at all: other plugins use it
//   test      one instruction: Compiler::test_by()
//   tests     several, or those of a set: Compiler::test()
//   executor  instructions: Compiler::execute()
//   raised    an instruction that makes control do the work
//   server    not at all: queries, or events in time, enter through it
#define STEER_PLUGIN_SETTINGS(X)  \
    X(DomainSet, set)             \
    X(IpSet, set)                 \
    X(Qname, test)                \
    X(Cname, test)                \
    X(Question, tests)            \
    X(IpMatch, test)              \
    X(DeviceMatch, test)          \
    X(NumberMatch, test)          \
    X(HasResp, test)              \
    X(HasWantedAnswer, test)      \
    X(Constant, test)             \
    X(MarkMatch, test)            \
    X(RandomMatch, test)          \
    X(TimeMatch, test)            \
    X(RateMatch, test)            \
    X(TextMatch, test)            \
    X(AnyMatch, tests)            \
    X(Forward, executor)          \
    X(Cache, executor)            \
    X(RouterRows, executor)       \
    X(DebugPrint, executor)       \
    X(QuerySummary, executor)     \
    X(DropResp, executor)         \
    X(Ttl, executor)              \
    X(BlackHole, executor)        \
    X(Hosts, executor)            \
    X(Arbitrary, executor)        \
    X(ReverseLookup, executor)    \
    X(MetricsCollector, executor) \
    X(LearnDomain, executor)      \
    X(Sequence, executor)         \
    X(UdpServer, server)          \
    X(StreamServer, server)       \
    X(Sleep, executor)            \
    X(Fallback, executor)         \
    X(Prefer, executor)           \
    X(Dns64, executor)            \
    X(StaticRecords, executor)    \
    X(AdList, executor)           \
    X(DhcpLeases, executor)       \
    X(Zone, executor)             \
    X(Rpz, executor)              \
    X(Secondary, set)             \
    X(Redirect, executor)         \
    X(EcsHandler, executor)       \
    X(ForwardOptions, executor)   \
    X(Download, raised)           \
    X(ReloadAll, raised)          \
    X(ReloadProvider, raised)     \
    X(QueryRecorder, executor)    \
    X(Cron, server)               \
    X(KernelSets, executor)       \
    X(OpnsenseAlias, executor)

// X(number, operation): the number that a NumberMatch compares, and its test
// (dataplane/policy/ops.h).
#define STEER_NUMBERS(X) \
    X(type, if_type)     \
    X(klass, if_class)   \
    X(rcode, if_rcode)   \
    X(vlan, if_vlan)

// X(name): the PluginType kNameType, in its file in plugins/.
#define STEER_PLUGIN_TYPES(X) \
    X(Geoip)                  \
    X(AdguardRule)            \
    X(Question)               \
    X(Geosite)                \
    X(DomainSet)              \
    X(IpSet)                  \
    X(RosList)                \
    X(Qname)                  \
    X(Cname)                  \
    X(ClientIp)               \
    X(ClientMac)              \
    X(ClientGroup)            \
    X(ClientHost)             \
    X(Vlan)                   \
    X(RespIp)                 \
    X(PtrIp)                  \
    X(Qtype)                  \
    X(Qclass)                 \
    X(Rcode)                  \
    X(HasResp)                \
    X(HasWantedAns)           \
    X(Mark)                   \
    X(Env)                    \
    X(Random)                 \
    X(Time)                   \
    X(AnyMatch)               \
    X(True)                   \
    X(False)                  \
    X(Sequence)               \
    X(Forward)                \
    X(Recursion)              \
    X(Cache)                  \
    X(RosAddressList)         \
    X(RosRoute)               \
    X(DebugPrint)             \
    X(QuerySummary)           \
    X(QueryRecorder)          \
    X(DropResp)               \
    X(Ttl)                    \
    X(BlackHole)              \
    X(Hosts)                  \
    X(Arbitrary)              \
    X(ReverseLookup)          \
    X(MetricsCollector)       \
    X(UdpServer)              \
    X(TcpServer)              \
    X(QuicServer)             \
    X(HttpServer)             \
    X(Sleep)                  \
    X(Fallback)               \
    X(PreferIpv4)             \
    X(PreferIpv6)             \
    X(Dns64)                  \
    X(Static)                 \
    X(Adlist)                 \
    X(DhcpLeases)             \
    X(Zone)                   \
    X(Rpz)                    \
    X(Secondary)              \
    X(RateLimiter)            \
    X(StringExp)              \
    X(Redirect)               \
    X(EcsHandler)             \
    X(Ecs)                    \
    X(ForwardEdns0opt)        \
    X(Download)               \
    X(Reload)                 \
    X(ReloadProvider)         \
    X(Cron)                   \
    X(Ipset)                  \
    X(Nftset)                 \
    X(BgpRoute)               \
    X(OpnsenseAlias)          \
    X(DynamicDomainSet)       \
    X(LearnDomain)
