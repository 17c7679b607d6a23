// The result of a router's engine, as an Outcome of held answers.
#pragma once

#include "dataplane/event/event.h"
#include "routeros/router_sink.h"

namespace steer {

constexpr Outcome to_outcome(routeros::Outcome outcome) {
    switch (outcome) {
        case routeros::Outcome::installed:
            return Outcome::installed;
        case routeros::Outcome::already_there:
            return Outcome::already_there;
        case routeros::Outcome::late:
            return Outcome::late;
        case routeros::Outcome::router_away:
            return Outcome::router_away;
        case routeros::Outcome::refused:
            return Outcome::refused;
        case routeros::Outcome::failed:
            break;
    }
    return Outcome::failed;
}

}  // namespace steer
