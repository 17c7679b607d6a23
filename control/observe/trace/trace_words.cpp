#include "control/observe/trace/trace_json.h"

#include "dataplane/event/claims.h"
#include "dataplane/forward/forwarder.h"

namespace steer {

std::string_view packet_cache_sentence(TracePacketCache does) {
    switch (does) {
        case TracePacketCache::answered:
            return "an equal query, in any case of its name, had this answer";
        case TracePacketCache::would_answer:
            return "it has a line for this query, and answers it without any rule";
        case TracePacketCache::would_learn:
            return "it has no line for this query yet; a client's query creates one";
        case TracePacketCache::resting:
            return "it pauses, because few queries repeat";
        case TracePacketCache::too_long:
            return "the query is too long for a line";
        case TracePacketCache::for_subnet:
            return "not used: the answer depends on the client's subnet";
        case TracePacketCache::not_udp:
            return "not used: it answers queries over UDP only";
    }
    return "";
}

std::string_view packet_cache_word(TracePacketCache does) {
    switch (does) {
        case TracePacketCache::answered:
            return "answered";
        case TracePacketCache::would_answer:
            return "would_answer";
        case TracePacketCache::would_learn:
            return "would_learn";
        case TracePacketCache::resting:
            return "resting";
        case TracePacketCache::too_long:
            return "too_long";
        case TracePacketCache::for_subnet:
            return "for_subnet";
        case TracePacketCache::not_udp:
            break;
    }
    return "not_udp";
}

std::string_view cache_sentence(TraceCache is) {
    switch (is) {
        case TraceCache::miss:
            return "miss";
        case TraceCache::hit:
            return "hit";
        case TraceCache::stale:
            return "stale";
        case TraceCache::guarded:
            return "hit; its lists were chosen again for this client";
        case TraceCache::failure:
            return "hit: a cached failure";
        case TraceCache::older_rules:
            return "hit of an earlier configuration: the rules run again for it";
        case TraceCache::policed:
            return "hit: a policy zone looks at it";
        case TraceCache::expired:
            return "expired: its stale answer is sent if the upstream is late";
    }
    return "";
}

std::string_view cache_word(TraceCache is) {
    switch (is) {
        case TraceCache::miss:
            return "miss";
        case TraceCache::expired:
            return "expired";
        case TraceCache::stale:
            return "stale";
        case TraceCache::guarded:
            return "guarded";
        case TraceCache::hit:
        case TraceCache::failure:
        case TraceCache::older_rules:
        case TraceCache::policed:
            break;
    }
    return "hit";
}

std::string_view source_text(std::uint32_t source) {
    switch (static_cast<TraceSource>(source)) {
        case TraceSource::records:
            return "of the configuration";
        case TraceSource::cache:
            return "of the cache";
        case TraceSource::stale:
            return "of the cache, stale";
        case TraceSource::upstream:
            return "of an upstream";
        case TraceSource::empty:
            return "without records";
    }
    return "";
}

std::string_view upstream_result_text(unsigned result) {
    switch (static_cast<UpstreamResult>(result)) {
        case UpstreamResult::answered:
            return "the upstream answered";
        case UpstreamResult::timed_out:
            return "no upstream answered in time";
        case UpstreamResult::all_failed:
            return "the network refused all upstreams";
        case UpstreamResult::dropped:
            return "all upstreams refused the query or closed connections";
        case UpstreamResult::no_route:
            return "no route to any upstream";
        case UpstreamResult::table_full:
            return "not asked: too many upstream queries in flight";
        case UpstreamResult::displaced:
            return "given up to make room for newer queries";
        case UpstreamResult::over_quota:
            return "not asked: too many upstream queries for this domain or forward";
        case UpstreamResult::no_buffer:
            return "no buffer for the reply";
        case UpstreamResult::truncated:
            return "only truncated replies came";
        case UpstreamResult::looped:
            return "not asked: the client is an upstream that was asked for this";
    }
    return "";
}

std::string_view via_text(unsigned via) {
    switch (static_cast<TraceVia>(via)) {
        case TraceVia::port:
            return "";
        case TraceVia::kernel:
            return ", by a kernel socket";
        case TraceVia::tcp:
            return ", over TCP";
        case TraceVia::channel:
            return ", over its connection";
    }
    return "";
}

std::string_view branch_end_text(unsigned is) {
    switch (static_cast<Branches::Is>(is)) {
        case Branches::Is::answered:
            return "has an answer";
        case Branches::Is::lacking:
            return "has an answer without the wanted records";
        case Branches::Is::without_answer:
            return "has no answer";
        case Branches::Is::failed:
            return "failed";
        case Branches::Is::not_begun:
        case Branches::Is::running:
            break;
    }
    return "ended";
}

std::string_view outcome_text(unsigned outcome) {
    switch (static_cast<Outcome>(outcome)) {
        case Outcome::installed:
            return "the router acknowledged the row";
        case Outcome::already_there:
            return "the row was there already";
        case Outcome::late:
            return "the router cannot write the row in time";
        case Outcome::router_away:
            return "the router is unreachable";
        case Outcome::failed:
            return "the router rejected the row";
        case Outcome::refused:
            return "the list has no room for the row";
        case Outcome::count_:
            break;
    }
    return "";
}

std::string_view leave_text(unsigned leave) {
    switch (static_cast<Leave>(leave)) {
        case Leave::now:
            return "the answer leaves at once";
        case Leave::hold:
            return "the answer waits for the router";
        case Leave::wait_for_ring:
            return "the answer waits: the ring to the routers' thread is full";
        case Leave::servfail:
            return "the row is missing (on_timeout: servfail, or on_full: servfail)";
        case Leave::drop:
            return "the router is unreachable, on_timeout: drop";
    }
    return "";
}

}  // namespace steer
