"""Is a callable's own derivative right? Its points are judged cell by cell, each suspicion with every excuse."""
