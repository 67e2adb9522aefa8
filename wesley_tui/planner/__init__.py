"""T.A.S.K.S., Tasks Are Sequenced Key Steps: Changes → operations → waves of steps, with hazards, locks and undo."""
