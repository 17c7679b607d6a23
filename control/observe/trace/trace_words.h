// Words for the numbers in traces.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/policy/trace.h"

namespace steer {

std::string_view packet_cache_sentence(TracePacketCache does);
std::string_view packet_cache_word(TracePacketCache does);  // "answered", "would_answer" ...
std::string_view cache_sentence(TraceCache is);
std::string_view cache_word(TraceCache is);  // "miss", "hit", "stale", "guarded", "expired"
std::string_view source_text(std::uint32_t source);
std::string_view upstream_result_text(unsigned result);
std::string_view via_text(unsigned via);
std::string_view branch_end_text(unsigned is);
std::string_view outcome_text(unsigned outcome);
std::string_view leave_text(unsigned leave);

}  // namespace steer
