// The outputs of a Router.
#pragma once

#include <cstdint>
#include <string_view>

#include "routeros/address.h"
#include "routeros/findings.h"
#include "routeros/shares.h"

namespace steer::routeros {

// The result of a claim with a waiting answer, with the same words as the dataplane's outcomes.
// `late`: the router is reachable, but its row cannot be written within sync_timeout.
enum class Outcome : std::uint8_t { installed, already_there, late, router_away, failed, refused };

enum class Level : std::uint8_t { info, warning, error };

// The router's functions call it; it must not call the router.
class RouterSink {
  public:
    virtual ~RouterSink() = default;
    // A row for `address` is known to live at least until `until_s` (seconds of the same clock).
    // Replaces the earlier value.
    virtual void installed(ListId list, const AddressBytes& address, std::uint32_t until_s) = 0;
    // The row ended at the time of the last installed(), or its list was removed.
    virtual void ended(ListId list, const AddressBytes& address) = 0;
    // The row may end before the time of installed(), or its claim was given up before a row existed.
    virtual void lost(ListId list, const AddressBytes& address) = 0;
    // A claim of the address was refused: the list, or a share of it, is full. `of_client`: because
    // of the client's share; a claim for another client may be accepted.
    virtual void refused(ListId /*list*/, const AddressBytes& /*address*/, bool /*of_client*/) {}
    // A new epoch: earlier installed() calls become invalid.
    virtual void epoch(ListId list) = 0;
    virtual void away(ListId list, bool away) = 0;
    // Called exactly once per claim() with a hold token.
    virtual void settled(std::uint64_t hold_token, Outcome outcome) = 0;
    // One sentence per change of state, for the log.
    virtual void log(Level level, std::string_view sentence) = 0;
    // Stores a probe's result for this version; returns the stored one (nullptr: none), valid until
    // the next call.
    virtual void found(std::string_view /*version*/, const Findings& /*findings*/) {}
    virtual const Findings* findings(std::string_view /*version*/) { return nullptr; }
    // While the role was writer, a writer row of this fleet with a higher token was seen (or with
    // our token, of another box). Nothing is written from now on, until set_role() sets a token
    // above highest_token().
    virtual void superseded(std::uint64_t /*token*/, std::string_view /*box*/) {}
};

}  // namespace steer::routeros
